//! The forms of a page, read the way a browser without scripts does: action, method's fields, hidden values.

/// A page's first form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub action: String,
    /// Name and value of what is hidden in it.
    pub hidden: Vec<(String, String)>,
}

impl Form {
    pub fn first_of(html: &str) -> Option<Self> {
        let form = &html[html.find("<form")?..];
        let form = &form[..form.find("</form>")?];
        let action = attribute(form.split_once('>')?.0, "action").unwrap_or_default();
        let inputs = form.split("<input").skip(1).filter_map(|input| Some(input.split_once('>')?.0));
        let hidden = inputs.filter(|input| attribute(input, "type").as_deref() == Some("hidden"));
        let pairs = hidden.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)));
        Some(Self { action, hidden: pairs.collect() })
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescaped(rest.split_once('"')?.0))
}

fn unescaped(text: &str) -> String {
    let references = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#34;", "\""), ("&#60;", "<")];
    let text = references.iter().fold(text.to_owned(), |text, (reference, plain)| text.replace(reference, plain));
    text.replace("&#62;", ">").replace("&#38;", "&").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_its_action_and_what_is_hidden_in_it() {
        let html = "<p>x</p><form method=\"post\" action=\"/a?b=1&amp;c=2\"><input type=\"hidden\" name=\"state\" \
                    value=\"&lt;s&gt;\"><input name=\"login\"></form>";
        let form = Form::first_of(html).unwrap();
        assert_eq!((form.action.as_str(), form.hidden), ("/a?b=1&c=2", vec![("state".into(), "<s>".into())]));
        assert_eq!(Form::first_of("<p>none</p>"), None);
    }
}

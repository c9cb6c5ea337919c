//! What was found out for whom, so that what one owner's server says, or fails to say, decides nothing for another's.
//! Bounded: whoever asks in ever new names takes the room of what is worth least, and never that of an answer to come.

use std::collections::HashMap;

use crate::mcp::rejection::Rejection;
use crate::mcp::session_id::Owner;

/// What an answer is worth, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// Given up, or too old.
    Nothing,
    /// A failure that is not to be repeated yet.
    AWhile,
    Known,
    /// Somebody is being asked, which must end by itself.
    UnderWay,
}

#[derive(Debug)]
pub(super) struct Answers<A> {
    most: usize,
    uses: u64,
    /// With the number of its last use.
    all: HashMap<Owner, (u64, A)>,
}

impl<A: Clone> Answers<A> {
    /// Of as many owners at once.
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), uses: 0, all: HashMap::new() }
    }

    /// The owner's, asked for now unless there is one of worth; refused if all that there is room for are under way.
    pub(super) fn of(
        &mut self,
        owner: &Owner,
        worth: impl Fn(&A) -> Worth,
        ask: impl FnOnce() -> Result<A, Rejection>,
    ) -> Result<A, Rejection> {
        self.uses += 1;
        if let Some((used, answer)) = self.all.get_mut(owner).filter(|(_, answer)| worth(answer) > Worth::Nothing) {
            *used = self.uses;
            return Ok(answer.clone());
        }
        self.all.remove(owner);
        let full = self.all.len() >= self.most;
        let least = full.then(|| self.least(worth).ok_or(Rejection::TooManySessions)).transpose()?;
        // What is refused pushes out nothing.
        let answer = ask()?;
        least.and_then(|least| self.all.remove(&least));
        self.all.insert(owner.clone(), (self.uses, answer.clone()));
        Ok(answer)
    }

    /// Of those worth the same, the one that was not used for longest goes first.
    fn least(&self, worth: impl Fn(&A) -> Worth) -> Option<Owner> {
        let ranked = self.all.iter().map(|(owner, (used, answer))| (worth(answer), *used, owner));
        let (_, _, least) =
            ranked.filter(|(worth, ..)| *worth < Worth::UnderWay).min_by_key(|(worth, used, _)| (*worth, *used))?;
        Some(least.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(told: u32) -> Owner {
        Owner::nobody().told(Box::new([told.to_string().into()]))
    }

    /// An answer is its worth here. Whether it was there, or that there was no room.
    fn asks(answers: &mut Answers<Worth>, told: u32, worth: Worth) -> Option<bool> {
        let mut was_there = true;
        answers
            .of(
                &who(told),
                |answer| *answer,
                || {
                    was_there = false;
                    Ok(worth)
                },
            )
            .ok()
            .map(|_| was_there)
    }

    #[test]
    fn each_owner_has_an_answer_of_its_own_until_it_is_worth_nothing() {
        let mut answers = Answers::new(9);
        for worth in [Worth::AWhile, Worth::Known, Worth::UnderWay] {
            assert_eq!(asks(&mut answers, worth as u32, worth), Some(false));
            assert_eq!(asks(&mut answers, worth as u32, worth), Some(true));
        }
        assert_eq!(asks(&mut answers, 7, Worth::Nothing), Some(false));
        assert_eq!(asks(&mut answers, 7, Worth::Known), Some(false));
    }

    #[test]
    fn ever_new_names_take_no_more_room_and_not_that_of_what_is_worth_more() {
        let mut answers = Answers::new(3);
        asks(&mut answers, 1, Worth::Known);
        asks(&mut answers, 2, Worth::UnderWay);
        for new in 100..200 {
            assert_eq!(asks(&mut answers, new, Worth::AWhile), Some(false));
            assert!(answers.all.len() <= 3);
        }
        assert_eq!(asks(&mut answers, 1, Worth::Known), Some(true));
        assert_eq!(asks(&mut answers, 2, Worth::Known), Some(true));
        // The failure goes, then what was known but is not used.
        asks(&mut answers, 3, Worth::Known);
        asks(&mut answers, 1, Worth::Known);
        asks(&mut answers, 4, Worth::Known);
        assert_eq!(asks(&mut answers, 1, Worth::Known), Some(true));
        assert_eq!(asks(&mut answers, 3, Worth::Known), Some(false));
    }

    #[test]
    fn nobody_is_asked_while_all_that_there_is_room_for_are_being_asked() {
        let mut answers = Answers::new(2);
        asks(&mut answers, 1, Worth::UnderWay);
        asks(&mut answers, 2, Worth::UnderWay);
        assert_eq!(asks(&mut answers, 3, Worth::UnderWay), None);
        assert_eq!(asks(&mut answers, 1, Worth::UnderWay), Some(true));
    }

    #[test]
    fn who_may_not_ask_pushes_out_nothing() {
        let mut answers = Answers::new(1);
        asks(&mut answers, 1, Worth::Known);
        let refused = answers.of(&who(2), |answer| *answer, || Err(Rejection::TooManySessions));
        assert_eq!(refused, Err(Rejection::TooManySessions));
        assert_eq!(asks(&mut answers, 1, Worth::Known), Some(true));
    }
}

//! The seeds, and what fuzzing once found, in every test run.

use std::{fs, panic, path::Path};

use gateway_fuzz::{GENUINE, SUBJECTS, genuine};

#[test]
fn every_seed_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, holds) in SUBJECTS {
        let mut files: Vec<_> = fs::read_dir(corpus.join(name)).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 3, "{name} has hardly a seed");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            assert!(panic::catch_unwind(|| holds(&bytes)).is_ok(), "{}", file.display());
        }
    }
}

#[test]
fn the_genuine_token_is_the_one_that_a_seed_passes_with() {
    assert_eq!(genuine(), GENUINE);
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/verify-headers/genuine");
    assert_eq!(fs::read_to_string(seed).unwrap().lines().nth(3), Some(GENUINE));
}

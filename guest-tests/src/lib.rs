//! The guest programs of elfuse: their manifest and the paths of their prebuilt fixtures.

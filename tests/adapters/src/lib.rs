//! What holds for every adapter and every scheme together: the tests are in `tests/`.

//! Questions that may never be answered, all asked at once: a thread for each, and one end for all.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Asks each and waits for all of them no longer than the limit; `None` gave no answer in time.
///
/// A thread that hangs in the kernel is left behind: nothing can end it, and nobody waits for it.
pub(super) fn all_within<Q: Send + 'static, A: Send + 'static>(
    limit: Duration,
    questions: Vec<Q>,
    ask: fn(&Q) -> A,
) -> Vec<Option<A>> {
    let (sender, receiver) = mpsc::channel();
    let mut answers: Vec<Option<A>> = questions.iter().map(|_| None).collect();
    let mut waited_for = 0;
    for (number, question) in questions.into_iter().enumerate() {
        let sender = sender.clone();
        let started = thread::Builder::new().name("space".into()).spawn(move || {
            // Nobody waits any more after the deadline.
            let _ = sender.send((number, ask(&question)));
        });
        waited_for += usize::from(started.is_ok());
    }
    let end = Instant::now() + limit;
    while waited_for > 0 {
        let Ok((number, answer)) = receiver.recv_timeout(end.saturating_duration_since(Instant::now())) else {
            break;
        };
        if let Some(place) = answers.get_mut(number) {
            *place = Some(answer);
        }
        waited_for -= 1;
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_never_answers_holds_up_none_of_the_others() {
        let ask = |number: &u64| {
            if *number == 1 {
                thread::sleep(Duration::from_mins(10));
            }
            number * 10
        };
        let begun = Instant::now();
        let answers = all_within(Duration::from_millis(200), vec![0, 1, 2], ask);
        assert_eq!(answers, [Some(0), None, Some(20)]);
        assert!(begun.elapsed() < Duration::from_mins(1));
        assert_eq!(all_within(Duration::from_mins(1), Vec::new(), ask), []);
    }
}

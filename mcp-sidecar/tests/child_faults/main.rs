//! The faults of wrapped programs (contract: threats, «Faults»), each with a real process that has it.

#[cfg(test)]
mod exits;
#[cfg(test)]
mod output;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod support;

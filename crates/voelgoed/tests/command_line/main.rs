//! Tests of the `voelgoed` program at its command line: what it refuses and how, what it creates, and what it prints into a closed pipe.
//!
//! To add a subject: a module here.

mod closed_pipe;
mod created_files;
mod demo_events;
mod demo_file;
mod program;
mod refused_arguments;

//! Asks at the terminal without showing what is typed. The terminal's echo comes back whatever ends the question: an answer, a
//! signal, or the job's being stopped.

#[cfg(unix)]
pub(crate) use unix::{Stops, ask, restore};

#[cfg(not(unix))]
pub(crate) use elsewhere::{Stops, ask, restore};

#[cfg(unix)]
mod unix {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Read, Write};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rustix::process::{Signal, getpid, kill_process};
    use rustix::termios::{InputModes, LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use tokio::signal::unix::{Signal as UnixSignal, SignalKind, signal};
    use zeroize::Zeroizing;

    use crate::compose::is_ignored;

    const TERMINAL: &str = "/dev/tty";
    /// The longest line that a terminal gives.
    const LONGEST_LINE_BYTES: usize = 4096;

    /// The process has one terminal: this is what was done to it.
    static STATE: Mutex<State> = Mutex::new(State::Untouched);

    enum State {
        /// As it was found.
        Untouched,
        /// It does not show what is typed.
        Hidden(Hidden),
        /// The process is about to end: nothing is hidden any more.
        Over,
    }

    struct Hidden {
        terminal: File,
        before: Termios,
        prompt: String,
    }

    impl Hidden {
        fn hide(&self) -> io::Result<()> {
            let mut hiding = self.before.clone();
            hiding
                .local_modes
                .remove(LocalModes::ECHO | LocalModes::ECHOE | LocalModes::ECHOK);
            // The line's end is shown: the cursor goes on below the question.
            hiding
                .local_modes
                .insert(LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
            hiding.input_modes.insert(InputModes::ICRNL);
            // What was typed before the question was asked was not meant for it.
            tcsetattr(&self.terminal, OptionalActions::Flush, &hiding)?;
            (&self.terminal).write_all(self.prompt.as_bytes())
        }

        fn show(&self) {
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
        }
    }

    fn state() -> MutexGuard<'static, State> {
        STATE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, and waits for one line. Blocks.
    pub(crate) fn ask(prompt: &str) -> io::Result<Zeroizing<String>> {
        let open = |path| OpenOptions::new().read(true).write(true).open(path);
        // A process without a terminal of its own may still have been given one as its standard input.
        let terminal = open(TERMINAL).or_else(|error| open("/dev/stdin").map_err(|_| error))?;
        let before = tcgetattr(&terminal)?;
        let mut reader = terminal.try_clone()?;
        let hidden = Hidden {
            terminal,
            before,
            prompt: prompt.to_owned(),
        };
        {
            let mut state = state();
            if matches!(*state, State::Over) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            // Even a half done change is undone.
            let done = hidden.hide();
            *state = State::Hidden(hidden);
            done
        }
        .inspect_err(|_| uncover())?;
        let line = read_line(&mut reader);
        uncover();
        line
    }

    fn read_line(terminal: &mut File) -> io::Result<Zeroizing<String>> {
        let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_LINE_BYTES));
        let mut byte = Zeroizing::new([0_u8; 1]);
        while line.len() < LONGEST_LINE_BYTES {
            match terminal.read(&mut *byte) {
                Ok(0) if line.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(0) => break,
                Ok(_) if *byte == *b"\n" || *byte == *b"\r" => break,
                Ok(_) => line.extend_from_slice(&*byte),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let text = std::str::from_utf8(&line).map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// The question is over: the terminal is as it was.
    fn uncover() {
        let mut state = state();
        if let State::Hidden(hidden) = &*state {
            hidden.show();
            *state = State::Untouched;
        }
    }

    /// The process is about to end: the terminal is as it was, and stays so.
    pub(crate) fn restore() {
        let mut state = state();
        if let State::Hidden(hidden) = &*state {
            hidden.show();
            let _ = (&hidden.terminal).write_all(b"\n");
        }
        *state = State::Over;
    }

    /// Lets Ctrl-Z stop the process with the terminal as it was, and asks again when it goes on.
    pub(crate) struct Stops(Option<[UnixSignal; 2]>);

    impl Stops {
        /// Listens from now on. Ctrl-Z then no longer stops the process by itself: [`Stops::obey`] has to be called.
        pub(crate) fn listen() -> io::Result<Self> {
            let [stop, resume] = [Signal::TSTP, Signal::CONT].map(Signal::as_raw);
            if u8::try_from(stop).is_ok_and(is_ignored) {
                return Ok(Self(None));
            }
            let listen = |number| signal(SignalKind::from_raw(number));
            Ok(Self(Some([listen(stop)?, listen(resume)?])))
        }

        /// For as long as the process lives.
        pub(crate) fn obey(self) {
            let Some([mut stops, mut resumes]) = self.0 else {
                return;
            };
            tokio::spawn(async move {
                while stops.recv().await.is_some() {
                    if let State::Hidden(hidden) = &*state() {
                        hidden.show();
                    }
                    let _ = kill_process(getpid(), Signal::STOP);
                    // This thread may run a little further before it stands still: nothing is hidden before it goes on.
                    let _ = resumes.recv().await;
                    if let State::Hidden(hidden) = &*state() {
                        let _ = hidden.hide();
                    }
                }
            });
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    use zeroize::Zeroizing;

    /// Asks, and waits for one line. Blocks.
    pub(crate) fn ask(prompt: &str) -> io::Result<Zeroizing<String>> {
        rpassword::prompt_password(prompt).map(Zeroizing::new)
    }

    /// The library gives the terminal back by itself.
    pub(crate) fn restore() {}

    /// Nothing stops a process here.
    pub(crate) struct Stops;

    impl Stops {
        pub(crate) fn listen() -> io::Result<Self> {
            Ok(Self)
        }

        pub(crate) fn obey(self) {}
    }
}

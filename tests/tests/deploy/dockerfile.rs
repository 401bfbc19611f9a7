//! The Dockerfile as instructions, in stages.

/// What begins with `FROM`.
pub(crate) struct Stage {
    /// What it begins with.
    pub(crate) image: String,
    /// What later stages call it.
    pub(crate) name: Option<String>,
    pub(crate) instructions: Vec<Instruction>,
}

/// One line, continuations included.
pub(crate) struct Instruction {
    pub(crate) name: String,
    pub(crate) arguments: String,
}

impl Stage {
    /// All that stands behind an instruction of this name.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let found = self.instructions.iter().filter(|it| it.name == name);
        found.map(|it| it.arguments.as_str()).collect()
    }

    /// What stands behind the only one of this name.
    pub(crate) fn one(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name}: {all:?}");
        all[0]
    }

    /// What is copied: from which stage (none is the context), which paths, to where.
    pub(crate) fn copies(&self) -> Vec<Copied> {
        let copies = self.all("COPY").into_iter();
        copies.map(Copied::of).collect()
    }
}

pub(crate) struct Copied {
    pub(crate) from: Option<String>,
    pub(crate) sources: Vec<String>,
    pub(crate) to: String,
}

impl Copied {
    fn of(arguments: &str) -> Self {
        let (flags, paths): (Vec<&str>, Vec<&str>) = arguments
            .split_whitespace()
            .partition(|word| word.starts_with("--"));
        let from = flags.iter().find_map(|flag| flag.strip_prefix("--from="));
        let (to, sources) = paths.split_last().expect("where to");
        Self {
            from: from.map(str::to_owned),
            sources: sources.iter().map(|&path| path.to_owned()).collect(),
            to: (*to).to_owned(),
        }
    }
}

/// Reads the file.
pub(crate) fn stages() -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for (name, arguments) in instructions(&crate::read("deploy/Dockerfile")) {
        if name == "FROM" {
            let words: Vec<&str> = arguments.split_whitespace().collect();
            stages.push(Stage {
                image: words[0].to_owned(),
                name: words.get(2).map(|&name| name.to_owned()),
                instructions: Vec::new(),
            });
            continue;
        }
        let stage = stages.last_mut().expect("it begins with FROM");
        stage.instructions.push(Instruction { name, arguments });
    }
    stages
}

fn instructions(text: &str) -> Vec<(String, String)> {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let (name, arguments) = line.split_once(' ').expect("an instruction");
            (name.to_owned(), arguments.trim().to_owned())
        })
        .collect()
}

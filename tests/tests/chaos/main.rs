//! A campaign: commands are killed at any moment, in any way, and run again. In the end all is as if nothing had happened, or
//! an error has said what to do; and nothing is left behind.
//!
//! `TRUEUP_CHAOS` says how many loops, `TRUEUP_SEED` with which numbers; each loop prints its own seed where it fails, and
//! `TRUEUP_CHAOS=1` with that seed is the same loop again. `TRUEUP_ONLY` names the command of all of them.

mod commands;
mod migrations;
mod place;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tests::checkout::Checkout;

use commands::{BASE, COMMANDS, Command, HEAD, MIDDLE};
use place::{Server, left_below, processes_of, say};

/// Ways in which a command is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// kill -9.
    Killed,
    Terminated,
    /// Its sessions are ended.
    Cut,
    /// The server ends, in good order or at once.
    Stopped,
}

const WAYS: [Way; 4] = [Way::Killed, Way::Terminated, Way::Cut, Way::Stopped];

/// Number of loops in an ordinary test, and their seed.
const SHORT: u64 = 6;
const SEED: u64 = 12;

/// Stands between two commands of consecutive seeds, so that few loops are of many sorts.
const STRIDE: u64 = 5;

/// Number of tries for a command whose error gives an advice.
const TRIES: usize = 3;

/// Numbers by chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        let length = u64::try_from(among.len()).expect("few");
        among[usize::try_from(self.next() % length).expect("few")]
    }

    /// A part of one.
    fn part(&mut self) -> f64 {
        let number = u32::try_from(self.next() >> 32).expect("32 bits");
        f64::from(number) / f64::from(u32::MAX)
    }
}

/// Outcome of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// It had ended before it could be cut off.
    Before,
    /// The same command made all as it should be.
    Held,
    /// An error said what to do, and that worked.
    Told,
    Failed,
}

/// Undisturbed run of each command.
struct Undisturbed {
    took: Duration,
    seen: String,
}

struct Campaign {
    server: Server,
    /// Project with the backup to restore.
    stock: Checkout,
    undisturbed: BTreeMap<&'static str, Undisturbed>,
}

impl Campaign {
    fn new(commands: &[Command]) -> Self {
        let server = Server::start();
        let mut stock = commands::mixed();
        for (database, target) in [(BASE, "+0"), (MIDDLE, "+17"), (HEAD, "head")] {
            server.run(&format!("CREATE DATABASE {database} TEMPLATE template0"));
            stock.database = Some(server.url(database).to_string());
            if target != "+0" {
                stock.run(&["upgrade", target]).done();
            }
        }
        stock.run(&["backup", "whole.dump"]).done();
        let mut campaign = Self {
            server,
            stock,
            undisturbed: BTreeMap::new(),
        };
        for command in commands {
            let database = "chaos_reference";
            let project = command.prepare(&campaign.server, database, &campaign.backup());
            let begun = Instant::now();
            project.run(command.words).done();
            let took = begun.elapsed();
            if command.again != command.words {
                project.run(command.again).done();
            }
            let seen = command.seen(&project, &campaign.server, database);
            campaign
                .undisturbed
                .insert(command.name, Undisturbed { took, seen });
        }
        campaign
    }

    fn backup(&self) -> PathBuf {
        self.stock.path().join("whole.dump")
    }

    /// One loop; the error is all that is not as it should be.
    fn once(
        &self,
        number: u64,
        command: Command,
        way: Way,
        chance: &mut Chance,
    ) -> Result<Came, String> {
        let undisturbed = &self.undisturbed[command.name];
        let database = format!("chaos_{number}");
        let mut project = command.prepare(&self.server, &database, &self.backup());
        let elsewhere = !command.is_live() && chance.part() < 0.5;
        if elsewhere {
            let url = self.server.url("postgres").to_string();
            project.environment.push(("TRUEUP_SCRATCH_URL", url.leak()));
        }
        let moment = undisturbed.took.mul_f64(chance.part() * 1.1);
        let running = project.start(command.words);
        let id = running.id();
        thread::sleep(moment);
        let was_there = signal(id, None);
        self.cut_off(way, id, command, &project, &database, chance);
        let first = running.end();
        if way == Way::Stopped {
            self.server.again();
        }
        let at = format!("after {moment:?}");
        if first.stderr.contains("panicked") {
            return Err(format!("{at} it panicked: {first:#?}"));
        }
        // A signal that comes before the handler is there ends it without a code.
        let ended_well = matches!(first.code, None | Some(0 | 143));
        if was_there && way == Way::Terminated && !ended_well {
            return Err(format!("{at} SIGTERM ended it so: {first:#?}"));
        }
        let failed = first.code == Some(2);
        if failed && !first.stderr.contains("error:") {
            return Err(format!("{at} it did not say what is wrong: {first:#?}"));
        }
        let mut told = None;
        for _ in 0..TRIES {
            let again = project.run(command.again);
            if again.code == Some(0) {
                break;
            }
            if !again.stderr.contains("error:") || again.stderr.contains("panicked") {
                return Err(format!("{at}, then: {again:#?}\nfirst: {first:#?}"));
            }
            told = Some(again);
            thread::sleep(Duration::from_millis(200));
        }
        let seen = command.seen(&project, &self.server, &database);
        if seen != undisturbed.seen {
            let differs = similar::TextDiff::from_lines(&undisturbed.seen, &seen);
            let differs = differs.unified_diff().context_radius(1).to_string();
            return Err(format!(
                "{at} it is not the same in the end:\n{differs}\nfirst: {first:#?}\nthen: {told:#?}"
            ));
        }
        self.nothing_left(&project, command, &database, id)
            .map_err(|left| format!("{at} {left}\nfirst: {first:#?}"))?;
        self.server
            .run(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"));
        Ok(match told {
            _ if !was_there => Came::Before,
            None => Came::Held,
            Some(_) => Came::Told,
        })
    }

    /// Cuts a command off, or the servers that it works with.
    fn cut_off(
        &self,
        way: Way,
        id: u32,
        command: Command,
        project: &Checkout,
        database: &str,
        chance: &mut Chance,
    ) {
        let has_own_server = !command.is_live() && project.environment.is_empty();
        match way {
            Way::Killed => {
                signal(id, Some(Signal::KILL));
            }
            Way::Terminated => {
                signal(id, Some(Signal::TERM));
            }
            Way::Cut if has_own_server => place::stop_scratch(id, Signal::KILL),
            Way::Stopped if has_own_server => place::stop_scratch(id, Signal::QUIT),
            Way::Cut if command.is_live() => self.server.cut(database),
            Way::Cut => self.server.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name = 'trueup' AND pid <> pg_backend_pid()",
            ),
            Way::Stopped => self.server.stop(chance.pick(&[Signal::QUIT, Signal::INT])),
        }
    }

    fn nothing_left(
        &self,
        project: &Checkout,
        command: Command,
        database: &str,
        id: u32,
    ) -> Result<(), String> {
        let files = left_below(project.path());
        if !files.is_empty() {
            return Err(format!("it left {files:?}"));
        }
        let folder = project.path().display().to_string();
        // The name of a database may be the beginning of another one's.
        let names = [format!("{database} "), format!("/{database}?"), folder];
        let begun = Instant::now();
        loop {
            let left: Vec<_> = names.iter().flat_map(|name| processes_of(name)).collect();
            if left.is_empty() {
                break;
            }
            if begun.elapsed() > Duration::from_secs(10) {
                return Err(format!("it left {left:#?}"));
            }
            thread::sleep(Duration::from_millis(50));
        }
        let scratch = "SELECT datname::text AS line FROM pg_database WHERE datname LIKE 'trueup\\_scratch%'
            UNION ALL SELECT rolname::text FROM pg_roles WHERE shobj_description(oid, 'pg_authid') LIKE 'trueup\\_scratch%'";
        // The session of a killed command may be at its last statement when the next command looks.
        let mut left = self.server.lines("postgres", scratch);
        let begun = Instant::now();
        while !left.is_empty() && begun.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(500));
            let _ = project.run(&["check"]);
            left = self.server.lines("postgres", scratch);
        }
        if !left.is_empty() {
            return Err(format!("it left {left:?} on the server"));
        }
        // The next command with a scratch of its own sweeps it, and a squash of one migration needs none.
        let swept = !command.is_live() && project.environment.is_empty();
        let mut left = place::scratches_of(id);
        let begun = Instant::now();
        while swept && !left.is_empty() && begun.elapsed() < Duration::from_secs(10) {
            let _ = project.run(&["diff", "--from", "migrations", "--to", "migrations"]);
            left = place::scratches_of(id);
        }
        if !swept || left.is_empty() {
            Ok(())
        } else {
            Err(format!("it left the servers {left:?}"))
        }
    }
}

/// Sends a signal, or none, and says if there was a process to take it that has not ended.
fn signal(id: u32, signal: Option<Signal>) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let lives = !status.is_empty() && !status.contains("\nState:\tZ");
    let pid = i32::try_from(id)
        .ok()
        .and_then(Pid::from_raw)
        .expect("a pid");
    if let Some(signal) = signal {
        let _ = kill_process(pid, signal);
    }
    lives
}

fn number(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).unwrap_or_default();
    if text.is_empty() {
        return otherwise;
    }
    text.parse()
        .unwrap_or_else(|error| panic!("{name}={text}: {error}"))
}

#[test]
fn killed_commands_run_again_end_as_if_nothing_had_happened() {
    let seed = number("TRUEUP_SEED", SEED);
    let loops = number("TRUEUP_CHAOS", SHORT);
    let only = std::env::var("TRUEUP_ONLY").unwrap_or_default();
    let chosen = COMMANDS
        .iter()
        .filter(|command| only.is_empty() || command.name == only);
    let chosen: Vec<Command> = chosen.copied().collect();
    say(&format!("chaos: TRUEUP_CHAOS={loops} TRUEUP_SEED={seed}"));
    let loops: Vec<_> = (seed..seed + loops)
        .map(|own| {
            // Each command comes, whatever the seed is; the way is by chance.
            let number = u64::try_from(chosen.len()).expect("few");
            let at = own.wrapping_mul(STRIDE) % number;
            (own, chosen[usize::try_from(at).expect("few")])
        })
        .collect();
    let used = |command: &&Command| loops.iter().any(|(_, one)| one.name == command.name);
    let used: Vec<Command> = chosen.iter().filter(used).copied().collect();
    let campaign = Campaign::new(&used);
    let mut table: BTreeMap<(&str, Way), BTreeMap<Came, usize>> = BTreeMap::new();
    let mut failures = Vec::new();
    for (own, command) in loops.iter().copied() {
        let mut chance = Chance(own);
        let way = chance.pick(&WAYS);
        let begun = Instant::now();
        let came = campaign.once(own, command, way, &mut chance);
        let took = begun.elapsed().as_secs_f32();
        say(&format!(
            "{own}: {}, {way:?}: {} in {took:.1} s",
            command.name,
            came.as_ref()
                .map_or("failed".to_owned(), |came| format!("{came:?}")
                    .to_lowercase())
        ));
        let counted = table.entry((command.name, way)).or_default();
        *counted
            .entry(*came.as_ref().unwrap_or(&Came::Failed))
            .or_default() += 1;
        if let Err(why) = came {
            let what = format!("TRUEUP_SEED={own}: {} was {way:?}: {why}", command.name);
            say(&what);
            failures.push(what);
        }
    }
    let mut text = String::from("command | way | before | held | told | failed\n");
    for ((name, way), counted) in &table {
        let of = |came| counted.get(&came).copied().unwrap_or_default();
        let [before, held, told, failed] =
            [Came::Before, Came::Held, Came::Told, Came::Failed].map(of);
        let _ = writeln!(
            text,
            "{name} | {way:?} | {before} | {held} | {told} | {failed}"
        );
    }
    say(&text);
    assert!(
        failures.is_empty(),
        "{} of {} failed:\n{}",
        failures.len(),
        loops.len(),
        failures.join("\n\n")
    );
}

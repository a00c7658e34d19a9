// SPDX-License-Identifier: Apache-2.0
//! Works on the directory /data and says what it sees; ends as its first argument says.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::hash::{BuildHasher, Hash, Hasher};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn walk(folder: &Path, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let size = if kind.is_file() { entry.metadata()?.len() } else { 0 };
        found.push(format!("{} {}", entry.path().display(), size));
        if kind.is_dir() {
            walk(&entry.path(), found)?;
        }
    }
    Ok(())
}

fn hash_of(map: &HashMap<&str, i32>) -> u64 {
    let mut hasher = map.hasher().build_hasher();
    "a key".hash(&mut hasher);
    hasher.finish()
}

fn work() -> io::Result<()> {
    let text = fs::read_to_string("/data/input.txt")?;
    fs::create_dir_all("/data/made/deep")?;
    let mut file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open("/data/made/deep/copy.txt")?;
    file.write_all(text.to_uppercase().as_bytes())?;
    file.seek(SeekFrom::Start(2))?;
    let mut rest = String::new();
    file.read_to_string(&mut rest)?;
    println!("read back {}", rest.trim_end());
    file.set_len(6)?;
    file.sync_all()?;
    drop(file);
    fs::OpenOptions::new().append(true).open("/data/made/deep/copy.txt")?.write_all(b"!")?;
    fs::rename("/data/made/deep/copy.txt", "/data/made/moved.txt")?;
    fs::copy("/data/made/moved.txt", "/data/made/second.txt")?;
    fs::hard_link("/data/made/second.txt", "/data/made/third.txt")?;
    fs::remove_file("/data/made/second.txt")?;
    let mut found = Vec::new();
    walk(Path::new("/data"), &mut found)?;
    found.sort();
    println!("{}", found.join("\n"));
    fs::remove_dir_all("/data/made/deep")?;
    let outside = fs::read("/data/../secret.txt");
    println!("outside {}", if outside.is_ok() { "read" } else { "refused" });
    println!("missing {:?}", fs::read("/data/none").unwrap_err().kind());
    println!("twice {:?}", fs::create_dir("/data/made").unwrap_err().kind());
    Ok(())
}

fn main() {
    println!("mood {}", env::var("MOOD").unwrap_or_default());
    let name = env::args().nth(1).unwrap_or_default();
    work().unwrap_or_else(|error| panic!("cannot work: {}", error));

    let begin = Instant::now();
    thread::sleep(Duration::from_millis(20));
    let slept = begin.elapsed();
    println!("slept {}", slept >= Duration::from_millis(20) && slept < Duration::from_secs(10));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    println!("after 2020 {}", now.as_secs() > 1_577_836_800);
    let written = fs::metadata("/data/made/moved.txt").unwrap().modified().unwrap();
    println!("just written {}", written.elapsed().unwrap_or_default() < Duration::from_secs(3600));
    for line in io::stdin().lock().lines() {
        println!("line {}", line.unwrap());
    }
    // Its seed comes from the host.
    eprintln!("hash {}", hash_of(&HashMap::new()));

    match name.as_str() {
        "panic" => panic!("as it was told"),
        "abort" => process::abort(),
        "index" => println!("{}", [1, 2, 3][name.len()]),
        code => process::exit(code.parse().unwrap_or(0)),
    }
}

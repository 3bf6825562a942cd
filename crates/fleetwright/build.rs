//! Links the program for a fixed address, see docs/decisions/0009, and puts the functions that builds
//! call side by side, see docs/decisions/0012.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=functions.order");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "release")
        && is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
    {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        // Before the standard library asks for the shared one.
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
        if links_with_lld() {
            let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo names the folder");
            let list = format!("--symbol-ordering-file={folder}/functions.order");
            for argument in [&*list, "--no-warn-symbol-ordering"] {
                println!("cargo::rustc-link-arg-bins=-Xlinker");
                println!("cargo::rustc-link-arg-bins={argument}");
            }
        }
    }
}

/// Whether the linker is LLVM's, the only one that takes such a list: where the compiler has one of
/// its own it is the default, unless somebody has named another.
fn links_with_lld() -> bool {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    let others = ["linker", "-fuse-ld", "--ld-path"];
    if std::env::var_os("RUSTC_LINKER").is_some() || others.iter().any(|word| flags.contains(word))
    {
        return false;
    }
    let target = variable("TARGET");
    let sysroot = Command::new(variable("RUSTC"))
        .args(["--print", "sysroot"])
        .output();
    let sysroot = sysroot.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
    target == "x86_64-unknown-linux-gnu"
        && variable("HOST") == target
        && sysroot.is_ok_and(|sysroot| {
            let place = format!("lib/rustlib/{target}/bin/gcc-ld/ld.lld");
            Path::new(&sysroot).join(place).is_file()
        })
}

//! Links the program for a fixed address, see docs/decisions/0009.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "release")
        && is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
    {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        // Before the standard library asks for the shared one.
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

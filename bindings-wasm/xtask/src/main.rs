//! Builds the npm package's modules, or those that are named: cargo → wasm-bindgen → wasm-opt → `bindings-wasm/js/dist`.
//! `tests/js` weighs them.
#![allow(clippy::disallowed_methods)] // it is a program: it reads the environment and runs others

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use wasm_bindgen_cli_support::Bindgen;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<()> {
    let binding = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("xtask has no parent directory")?;
    let wanted: Vec<String> = env::args().skip(1).collect();
    for (feature, name) in MODULES {
        if wanted.is_empty() || wanted.iter().any(|each| each == name) {
            module(binding, feature, name)?;
        }
    }
    Ok(())
}

/// The modules: a feature of the binding, and a name.
const MODULES: [(&str, &str); 7] = [
    ("documents", "chartoci"),
    ("check", "check"),
    ("exchange", "exchange"),
    ("package", "package"),
    ("files", "node"),
    ("registry", "registry"),
    ("schema", "schema"),
];

/// Builds one of the modules: a feature of the binding, under a name.
fn module(binding: &Path, feature: &str, name: &str) -> Result<()> {
    let root = binding.parent().ok_or("bindings-wasm has no parent directory")?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let dist = binding.join("js/dist");

    // The module tells nobody where it was built, or where from.
    let cargo_home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|home| format!("{home}/.cargo")))?;
    let mut flags = format!("-Ctarget-feature=+simd128\x1f--remap-path-prefix={cargo_home}=cargo");
    for source in fs::read_dir(Path::new(&cargo_home).join("registry/src")).into_iter().flatten() {
        flags += &format!("\x1f--remap-path-prefix={}=crate", source?.path().display());
    }
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).env("CARGO_ENCODED_RUSTFLAGS", flags);
    cargo.args(["build", "--locked", "--profile", "wasm", "--target", "wasm32-unknown-unknown"]);
    run(cargo.args(["--package", "chartoci-wasm", "--no-default-features", "--features", feature]))?;

    Bindgen::new()
        .input_path(target.join("wasm32-unknown-unknown/wasm/chartoci_wasm.wasm"))
        .out_name(name)
        .web(true)?
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&dist)?;
    let glue = dist.join(format!("{name}.js"));
    fs::write(&glue, guarded(&fs::read_to_string(&glue)?)?)?;

    let wasm = dist.join(format!("{name}_bg.wasm"));
    let wasm_opt = binding.join("js/node_modules/.bin/wasm-opt");
    if !wasm_opt.exists() {
        return Err("wasm-opt is missing: run `npm ci` in bindings-wasm/js".into());
    }
    let mut optimise = Command::new(wasm_opt);
    optimise.args(["-Oz", "--enable-simd", "--enable-bulk-memory", "--enable-nontrapping-float-to-int"]);
    optimise.args(["--enable-sign-ext", "--enable-mutable-globals", "--enable-reference-types", "--enable-multivalue"]);
    optimise.args(["--converge", "--strip-producers", "--strip-target-features"]);
    run(optimise.arg(&wasm).arg("-o").arg(&wasm))?;
    println!("{}: {} bytes", wasm.display(), fs::metadata(&wasm)?.len());
    Ok(())
}

/// The glue, with what a caller hands in for a text or for bytes looked at by `given.js` first: of a value that is neither,
/// the glue takes a length that there is not, and the module reads memory that is not its own.
fn guarded(glue: &str) -> Result<String> {
    let mut glue = glue.to_owned();
    for (pass, guard) in [("passStringToWasm0(", "__text"), ("passArray8ToWasm0(", "__bytes")] {
        let mut pieces = glue.split(pass);
        let mut guarded = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            guarded += pass;
            match piece.split_once(", ") {
                // `arg` is what the function itself takes, `ret` what a function of ours has given.
                Some((name, rest)) if !matches!(name, "arg" | "ret") => {
                    guarded += &format!("{guard}({name}, \"{name}\"), {rest}");
                }
                _ => guarded += piece,
            }
        }
        glue = guarded;
    }
    match glue.contains("function passStringToWasm0(arg, ") {
        true => Ok(format!("import {{ bytes as __bytes, text as __text }} from \"../given.js\";\n{glue}")),
        // A module that takes objects alone.
        false if glue.contains("passStringToWasm0(") => Ok(glue),
        false => Err("the glue hands over texts and bytes in another way than it did".into()),
    }
}

fn run(command: &mut Command) -> Result<()> {
    match command.status()?.success() {
        true => Ok(()),
        false => Err(format!("{:?} failed", command.get_program()).into()),
    }
}

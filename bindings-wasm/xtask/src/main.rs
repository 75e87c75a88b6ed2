//! Builds the npm package's module: cargo → wasm-bindgen → wasm-opt → `bindings-wasm/js/dist`, and weighs it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use wasm_bindgen_cli_support::Bindgen;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Bytes that the module may weigh, as it is and by `gzip -9`. Ratchets: they only ever get smaller, save with a reason.
const BUDGET: [usize; 2] = [480_000, 190_000];

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
    let root = binding.parent().ok_or("bindings-wasm has no parent directory")?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let dist = binding.join("js/dist");

    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["build", "--locked", "--profile", "wasm"]);
    run(cargo.args(["--package", "chartoci-wasm", "--target", "wasm32-unknown-unknown"]))?;

    let built = target.join("wasm32-unknown-unknown/wasm/chartoci_wasm.wasm");
    Bindgen::new()
        .input_path(built)
        .out_name("chartoci")
        .web(true)?
        .omit_default_module_path(true)
        .remove_name_section(env::var_os("XN").is_none())
        .remove_producers_section(true)
        .generate(&dist)?;

    let wasm = dist.join("chartoci_bg.wasm");
    let wasm_opt = binding.join("js/node_modules/.bin/wasm-opt");
    if !wasm_opt.exists() {
        return Err("wasm-opt is missing: run `npm ci` in bindings-wasm/js".into());
    }
    if env::var_os("XN").is_some() { return Ok(()) }
    let mut optimise = Command::new(wasm_opt);
    run(optimise
        .args(["-O2", "--enable-simd", "--enable-bulk-memory", "--enable-nontrapping-float-to-int"])
        .args(["--enable-sign-ext", "--enable-mutable-globals", "--enable-reference-types", "--enable-multivalue"])
        .arg(&wasm)
        .arg("-o")
        .arg(&wasm))?;

    let gzip = Command::new("gzip").args(["-9", "-c"]).arg(&wasm).output()?.stdout.len();
    let sizes = [fs::metadata(&wasm)?.len() as usize, gzip];
    for ((size, budget), name) in sizes.into_iter().zip(BUDGET).zip(["raw", "gzip"]) {
        println!("module {name}: {size} of {budget} bytes");
    }
    match sizes.iter().zip(BUDGET).all(|(size, budget)| *size <= budget) {
        true => Ok(()),
        false => Err("the module is over its budget".into()),
    }
}

fn run(command: &mut Command) -> Result<()> {
    match command.status()?.success() {
        true => Ok(()),
        false => Err(format!("{:?} failed", command.get_program()).into()),
    }
}

//! Which tag a version or a range leads to: every row of `tests/vectors/selector.json`, which is what Helm 4 chose, through
//! pull and resolve alike.

use chartoci::exchange::{Config, Exchange, Outcome, Pull, Resolve, Session, Want};
use chartoci::oci::Reference;
use serde_json::Value;

use crate::peer::{Host, Login, Peer, Run, chart};

#[test]
fn pull_and_resolve_choose_as_helm_does() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("../../../tests/vectors/selector.json")).unwrap();
    assert!(rows.len() > 80);
    let (push, blobs) = chart();
    for row in rows {
        let (input, expect) = (&row["input"], &row["expect"]);
        let (version, devel) = (input["version"].as_str().map(str::to_owned), input["devel"].as_bool().unwrap());
        let reference = Reference::parse("reg.example/team/web").unwrap();
        let want = Want { chart: true, provenance: false, config: false, anything: false };
        let ask = |session: &Session, resolves: bool| match resolves {
            true => {
                Exchange::resolve(session, Resolve { reference: reference.clone(), version: version.clone(), devel })
            }
            false => {
                let (reference, version) = (reference.clone(), version.clone());
                Exchange::pull(session, Pull { reference, version, devel, want, check_tag: false, verify: false })
            }
        };
        for resolves in [true, false] {
            let mut peer = Peer::new(Login::Open);
            peer.hold(&push, &blobs);
            peer.manifests.clear();
            for tag in input["tags"].as_array().unwrap() {
                peer.manifests.insert(tag.as_str().unwrap().to_owned(), push.manifest.to_vec());
            }
            let session = Session::new(Config::default());
            let run: Run = Host::default().run(ask(&session, resolves), &mut peer);
            let name = &row["name"];
            if let Some(code) = expect["error"].as_str() {
                assert_eq!(run.code(), code, "{name}");
                continue;
            }
            let listed = run.log.iter().any(|line| line.contains("/tags/list"));
            assert_eq!(listed, expect["listed"].as_bool().unwrap(), "{name}: {:?}", run.log);
            let there = |tag: &str| peer.manifests.contains_key(tag);
            match (&run.result, expect["tag"].as_str()) {
                (Ok(Outcome::Resolved(found)), Some(tag)) => assert_eq!(found.tag.as_deref(), Some(tag), "{name}"),
                (Ok(Outcome::Pulled(found)), Some(tag)) => assert_eq!(found.reference.tag(), Some(tag), "{name}"),
                (Err(error), Some(tag)) if !there(tag) => {
                    assert_eq!(error.code().name(), "registry.manifest_unknown", "{name}");
                }
                (Err(error), None) => assert_eq!(error.code().name(), "registry.version_unknown", "{name}"),
                (result, _) => panic!("{name}: {result:?}"),
            }
        }
    }
}

//! Requests at the same time, hosts that die, disks that are full.

use super::*;

/// Serves a request up to its `count`th verb, which fails; the files are then as a crash would leave them.
fn fail_at(peer: &mut Peer, line: &str, body: &[u8], count: usize) -> Option<u16> {
    let mut turn = Turn::new(&peer.registry, line, body);
    let (mut failed, mut verbs) = (false, 0);
    loop {
        let is_verb = turn.verb.is_some();
        verbs += usize::from(is_verb);
        let answer = turn.step(|verb| match is_verb && !failed && verbs > count {
            true => {
                failed = true;
                Answer::Failed(FileFailure::Full)
            }
            false => peer.files.execute(verb),
        });
        if let Some(response) = answer {
            return failed.then_some(response.status);
        }
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_no_tag() {
    let mut failures = 0;
    for count in 0.. {
        let mut peer = Peer::open();
        peer.push("a", b"{}");
        let Some(status) = fail_at(&mut peer, "PUT /v2/a/manifests/1", &manifest(b"{}"), count) else { break };
        assert_eq!(status, 507);
        failures += 1;
        let seen = peer.status("GET /v2/a/manifests/1", b"");
        peer.registry = Registry::new(Config::default());
        open_in_memory(&peer.registry, &mut peer.files).unwrap();
        assert_eq!(peer.status("GET /v2/a/manifests/1", b""), seen, "failure at {count}");
        assert_eq!(peer.status("PUT /v2/a/manifests/1", &manifest(b"{}")), 201);
        assert_eq!(peer.status("GET /v2/a/manifests/1", b""), 200);
    }
    assert!(failures > 5);
}

#[test]
fn a_body_that_finds_no_room_leaves_nothing_behind() {
    let mut peer = Peer::open();
    let location = peer.location("POST /v2/a/blobs/uploads/");
    assert_eq!(peer.status(&format!("PATCH {location}"), b"0123"), 202);
    let head = head(&format!("PATCH {location}"), &[], b"4567");
    let mut serving = peer.registry.accept(head, peer.now);
    let Output::Receive { receiver, sink: Some(sink) } = serving.poll() else { panic!() };
    drop(receiver);
    serving.handle_file(Answer::Failed(FileFailure::Full));
    let Output::Do(verb) = serving.poll() else { panic!() };
    peer.files.execute(verb);
    serving.handle_file(Answer::Done);
    assert!(matches!(serving.poll(), Output::Respond(response) if response.status == 507));
    assert!(peer.files.get(&sink.path).is_none());
    assert_eq!(peer.status(&format!("GET {location}"), b""), 404);
}

/// Numbers below a bound, always the same.
pub(super) fn random() -> impl FnMut(u64) -> u64 {
    let mut random = 1_u64;
    move |end| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % end
    }
}

#[test]
fn whatever_happens_at_once_memory_and_files_agree_and_what_is_served_is_whole() {
    let contents: [&[u8]; 2] = [b"{}", b"other"];
    let mut below = random();
    for round in 0..250 {
        let mut peer = Peer::open();
        let mut turns: Vec<Turn> = Vec::new();
        for _ in 0..200 {
            if turns.len() < 3 {
                let repository = ["a", "b"][below(2) as usize];
                let content = contents[below(2) as usize];
                let (digest, put) = (Digest::of(content), Digest::of(&manifest(content)));
                let uploads = format!("POST /v2/{repository}/blobs/uploads/");
                let (line, body) = match below(7) {
                    0 | 1 => (format!("{uploads}?digest={digest}"), content.to_vec()),
                    2 => (format!("{uploads}?mount={digest}"), Vec::new()),
                    3 => (format!("DELETE /v2/{repository}/blobs/{digest}"), Vec::new()),
                    4 => (format!("PUT /v2/{repository}/manifests/{}", below(2)), manifest(content)),
                    5 => (format!("DELETE /v2/{repository}/manifests/{}", below(2)), Vec::new()),
                    _ => (format!("DELETE /v2/{repository}/manifests/{put}"), Vec::new()),
                };
                turns.push(Turn::new(&peer.registry, &line, &body));
            }
            let which = below(turns.len() as u64) as usize;
            step(&mut peer.files, &mut turns, which);
            if below(40) == 0 {
                tidy(&peer.registry, |verb| peer.files.execute(verb));
            }
        }
        while !turns.is_empty() {
            step(&mut peer.files, &mut turns, 0);
        }
        let before = served(&mut peer, contents);
        peer.registry = Registry::new(Config::default());
        open_in_memory(&peer.registry, &mut peer.files).unwrap();
        assert_eq!(served(&mut peer, contents), before, "round {round}");
    }
}

/// Lets one of the requests take its next step; one that is answered goes.
fn step(files: &mut Memory, turns: &mut Vec<Turn>, which: usize) {
    if let Some(response) = turns[which].step(|verb| files.execute(verb)) {
        assert!(response.status < 500 || response.status == 503, "{response:?}");
        drop(turns.remove(which));
    }
}

/// What can be read, which must be what was written.
fn served(peer: &mut Peer, contents: [&[u8]; 2]) -> Vec<String> {
    let mut found = Vec::new();
    for repository in ["a", "b"] {
        for content in contents {
            let line = format!("GET /v2/{repository}/blobs/{}", Digest::of(content));
            let (response, body) = peer.ask(&line, &[], b"");
            assert!(response.status == 404 || body == content, "{line}");
            found.push(format!("{line} {}", response.status));
        }
        for reference in
            ["0".to_owned(), "1".to_owned()].into_iter().chain(contents.map(|c| Digest::of(&manifest(c)).to_string()))
        {
            let line = format!("GET /v2/{repository}/manifests/{reference}");
            let (response, body) = peer.ask(&line, &[], b"");
            assert!(response.status == 404 || contents.iter().any(|content| manifest(content) == body), "{line}");
            found.push(format!("{line} {}", response.status));
        }
    }
    found
}

#[test]
fn requests_that_commit_at_once_lose_nothing_wherever_the_host_dies() {
    // Four PUTs take turns at random; the host dies after a random number of them.
    let mut below = random();
    for round in 0..600 {
        let mut peer = Peer::open();
        peer.push("a", b"{}");
        let data = manifest(b"{}");
        let begin = |tag: u64| Some(Turn::new(&peer.registry, &format!("PUT /v2/a/manifests/{tag}"), &data));
        let mut turns: Vec<Option<Turn>> = (0..4).map(begin).collect();
        let mut acknowledged = Vec::new();
        for _ in 0..below(120) {
            let tag = below(4);
            let Some(turn) = &mut turns[tag as usize] else { continue };
            if let Some(response) = turn.step(|verb| peer.files.execute(verb)) {
                assert_eq!(response.status, 201);
                acknowledged.push(tag);
                turns[tag as usize] = None;
                if below(3) == 0 {
                    tidy(&peer.registry, |verb| peer.files.execute(verb));
                }
            }
        }
        peer.registry = Registry::new(Config::default());
        open_in_memory(&peer.registry, &mut peer.files).unwrap();
        for tag in acknowledged {
            assert_eq!(peer.status(&format!("GET /v2/a/manifests/{tag}"), b""), 200, "round {round}");
        }
    }
}

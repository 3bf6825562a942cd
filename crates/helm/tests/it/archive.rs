//! Packed charts, and what somebody may put into one.

use std::io::Write as _;

use diag::Explain as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use helm::{Chart, Profile};
use tar::{Builder, EntryType, Header};

const META: &str = "{apiVersion: v2, name: c, version: 1.0.0}";

struct Entry {
    name: String,
    kind: EntryType,
    content: Vec<u8>,
}

fn file(name: &str, content: impl AsRef<[u8]>) -> Entry {
    Entry {
        name: name.to_owned(),
        kind: EntryType::Regular,
        content: content.as_ref().to_vec(),
    }
}

fn special(name: &str, kind: EntryType) -> Entry {
    Entry {
        name: name.to_owned(),
        kind,
        content: Vec::new(),
    }
}

/// Names go in as they are, which no honest program would do.
fn pack(entries: &[Entry]) -> Vec<u8> {
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for entry in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
        header.set_entry_type(entry.kind);
        header.set_mode(0o644);
        header.set_size(entry.content.len() as u64);
        header.set_cksum();
        archive.append(&header, &entry.content[..]).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    let error = Chart::from_archive(bytes, Profile::Helm4).unwrap_err();
    format!("{} {error}", error.code())
}

#[test]
fn a_packed_chart_is_the_chart_of_its_folder() {
    let values = "\u{feff}a: 1\n";
    let inner = pack(&[
        file("k/Chart.yaml", META.replace("name: c", "name: k")),
        file("k/values.yaml", "b: 2"),
    ]);
    let outer = pack(&[
        special("c/", EntryType::Directory),
        file("c/Chart.yaml", META),
        file("c/values.yaml", values),
        file(r"c\templates\a.yaml", "x"),
        file("c/./docs//x.md", "y"),
        file("c/charts/k-1.0.0.tgz", &inner),
        file("c/charts/k-1.0.0.tgz.prov", "signed"),
    ]);
    let chart = Chart::from_archive(&outer[..], Profile::Helm4).unwrap();
    let names = |files: &[helm::File]| {
        let names = files.iter().map(|file| file.name.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&chart.templates), ["templates/a.yaml"]);
    assert_eq!(
        names(&chart.files),
        ["docs/x.md", "charts/k-1.0.0.tgz.prov"]
    );
    assert_eq!(
        chart.values_file().map(|text| &**text),
        Some(&b"a: 1\n"[..])
    );
    assert_eq!(chart.charts[0].name(), "k");

    let folder = [
        ("Chart.yaml", META),
        ("values.yaml", values),
        ("templates/a.yaml", "x"),
    ];
    let folder = crate::support::chart(&folder, Profile::Helm4).unwrap();
    let plain = pack(&[
        file("n/values.yaml", values),
        file("n/templates/a.yaml", "x"),
        file("n/Chart.yaml", META),
    ]);
    let plain = Chart::from_archive(&plain[..], Profile::Helm4).unwrap();
    assert_eq!(folder.templates_digest(), plain.templates_digest());
    let other = [("Chart.yaml", META), ("templates/a.yaml", "y")];
    let other = crate::support::chart(&other, Profile::Helm4).unwrap();
    assert_ne!(folder.templates_digest(), other.templates_digest());
}

#[test]
fn what_stays_packed_is_unpacked_when_somebody_asks() {
    let large = |text: &str| format!("{text}: \"{}\"\n", "x".repeat(40 << 10));
    let entries = [
        ("Chart.yaml", META.to_owned()),
        ("crds/a.yaml", large("a")),
        ("values.yaml", large("v")),
        ("charts/k/Chart.yaml", META.replace("name: c", "name: k")),
        ("charts/k/docs/b.md", large("b")),
        ("charts/k/values.yaml", large("w")),
        ("docs/c.md", large("c")),
        ("docs/d.md", "d".to_owned()),
    ];
    let packed = entries
        .iter()
        .map(|(name, text)| file(&format!("c/{name}"), text));
    let packed = pack(&packed.collect::<Vec<_>>());
    let chart = Chart::from_archive(packed, Profile::Helm4).unwrap();
    let inside = &chart.charts[0];
    for (chart, folder) in [(&chart, ""), (inside, "charts/k/")] {
        let texts = entries.iter().filter_map(|(name, text)| {
            let name = name.strip_prefix(folder)?;
            Some((name, text.as_bytes()))
        });
        for (name, text) in texts.filter(|(name, _)| !name.starts_with("charts/")) {
            let found = match name {
                "Chart.yaml" => continue,
                "values.yaml" => chart.values_text(),
                _ => {
                    let mut files = chart.files.iter();
                    let file = files.find(|file| file.name == name).expect(name);
                    file.content.bytes()
                }
            };
            assert!(found == text, "{folder}{name}");
        }
    }
    assert_eq!(chart.values.len(), 1);
}

#[test]
fn paths_outside_the_chart_are_refused() {
    let outside = "ArchiveEntryForbidden chart illegally";
    for (name, wanted) in [
        (
            "c/../../x",
            format!("{outside} references parent directory"),
        ),
        ("c/..x", format!("{outside} references parent directory")),
        ("../x", String::new()),
        (
            "c//etc/passwd",
            format!("{outside} contains absolute paths"),
        ),
        ("/etc/passwd", String::new()),
        (
            "loose",
            format!("{outside} contains content outside the base directory: \"loose\""),
        ),
        (
            "c/x/..",
            format!("{outside} contains content outside the base directory: \"c/x/..\""),
        ),
        (
            "c/C:/x",
            "ArchiveEntryForbidden chart contains illegally named files".to_owned(),
        ),
        (
            r"c\C:\x",
            "ArchiveEntryForbidden chart contains illegally named files".to_owned(),
        ),
        (
            "Chart.yaml/x",
            "ArchiveEntryForbidden chart yaml not in base directory".to_owned(),
        ),
    ] {
        let packed = pack(&[file("c/Chart.yaml", META), file(name, "x")]);
        match wanted.is_empty() {
            // The first part of a path is dropped, so this is a file of the chart.
            true => assert!(
                Chart::from_archive(&packed[..], Profile::Helm4).is_ok(),
                "{name}"
            ),
            false => assert_eq!(refusal(&packed), wanted, "{name}"),
        }
    }
}

#[test]
fn only_files_and_folders_are_taken() {
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
    ] {
        let packed = pack(&[file("c/Chart.yaml", META), special("c/values.yaml", kind)]);
        let answer = refusal(&packed);
        assert!(
            answer.starts_with("ArchiveEntryForbidden entry \"c/values.yaml\""),
            "{answer}"
        );
    }
}

#[test]
fn links_in_a_chart_are_empty_files() {
    let packed = |name: &str, target: &str| {
        let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let mut header = Header::new_gnu();
        header.set_size(META.len() as u64);
        let chart = META.as_bytes();
        archive
            .append_data(&mut header, "c/Chart.yaml", chart)
            .unwrap();
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, name, target).unwrap();
        archive.into_inner().unwrap().finish().unwrap()
    };
    for (name, target) in [
        ("c/docs/a.md", "../b.md"),
        ("c/docs/a.md", "./../docs/./b.md"),
        ("c/templates/a.yaml", "b.yaml"),
    ] {
        let chart = Chart::from_archive(packed(name, target), Profile::Helm4).unwrap();
        let [warning] = &chart.warnings[..] else {
            panic!("{name}: {:?}", chart.warnings);
        };
        assert!(warning.text.contains(name), "{}", warning.text);
        let mut files = chart.files.iter().chain(&chart.templates);
        let file = files.next().expect(name);
        assert_eq!(format!("c/{}", file.name), name);
        assert!(file.content.bytes().is_empty());
    }
    // Of `k` there is nothing else, which is the next mistake.
    let inside = packed("c/charts/k/templates/a.yaml", "../../../x");
    assert!(refusal(&inside).starts_with("ChartNotFound "));
    for (name, target) in [
        ("c/docs/a.md", "../../b.md"),
        ("c/docs/a.md", "/etc/passwd"),
        ("c/docs/a.md", "../docs/../../c/b.md"),
        ("c/values.yaml", "other.yaml"),
        ("c/Chart.lock", "other.yaml"),
        ("c/charts/k/Chart.yaml", "other.yaml"),
        ("c/charts/k", "../k"),
    ] {
        let answer = refusal(&packed(name, target));
        assert!(answer.starts_with("ArchiveEntryForbidden "), "{name}");
    }
}

#[test]
fn what_unpacks_to_too_much_is_refused_early() {
    // What it says about its size is enough.
    let mut header = Header::new_gnu();
    header.set_path("c/zeros").unwrap();
    header.set_size(1 << 30);
    header.set_cksum();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(header.as_bytes()).unwrap();
    let wanted = "ChartTooLarge decompressed chart is larger than the maximum size 104857600";
    assert_eq!(refusal(&gzip.finish().unwrap()), wanted);
    let half = vec![0; 50 << 20];
    let packed = pack(&[file("c/one", &half), file("c/two", &half)]);
    assert_eq!(refusal(&packed), wanted);

    let many: Vec<Entry> = (0..100_001)
        .map(|at| file(&format!("c/f{at}"), ""))
        .collect();
    let wanted = "ChartTooLarge chart has more than 100000 files and folders";
    assert_eq!(refusal(&pack(&many)), wanted);

    let big = file("c/big", vec![b'x'; (5 << 20) + 1]);
    let packed = pack(&[file("c/Chart.yaml", META), big]);
    assert!(Chart::from_archive(&packed[..], Profile::Helm4).is_ok());
    let error = Chart::from_archive(&packed[..], Profile::Helm3).unwrap_err();
    let wanted = "decompressed chart file \"c/big\" is larger than the maximum file size 5242880";
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn archives_in_archives_have_an_end() {
    let mut packed = pack(&[file("c/Chart.yaml", META)]);
    for _ in 0..40 {
        packed = pack(&[file("c/Chart.yaml", META), file("c/charts/c.tgz", &packed)]);
    }
    let answer = refusal(&packed);
    assert!(
        answer.ends_with("charts are nested deeper than 32 levels"),
        "{answer}"
    );
}

#[test]
fn what_is_no_archive_is_refused() {
    assert_eq!(
        refusal(b"hello"),
        "ArchiveDamaged file does not appear to be a gzipped archive; got 'application/octet-stream'"
    );
    assert_eq!(
        refusal(&pack(&[])),
        "ArchiveDamaged no files in chart archive"
    );
    let packed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        std::io::Write::write_all(&mut encoder, bytes).expect("memory");
        encoder.finish().expect("memory")
    };
    assert_eq!(refusal(&packed(b"hello")), "ArchiveDamaged unexpected EOF");
    assert_eq!(
        refusal(&packed(&[b'x'; 2000])),
        "ArchiveDamaged archive/tar: invalid tar header"
    );
    let whole = pack(&[file("c/Chart.yaml", META), file("c/x", "y")]);
    for end in 2..whole.len() {
        let _ = Chart::from_archive(&whole[..end], Profile::Helm4);
    }
    assert!(Chart::from_archive(&whole[..40], Profile::Helm4).is_err());
}

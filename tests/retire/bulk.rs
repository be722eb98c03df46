//! Several at once, and what happens to images.

use super::Bench;

#[test]
fn three_are_retired_and_one_that_fails_does_not_stop_the_rest() {
    let Some(bench) = Bench::new() else { return };
    let all: Vec<_> = (0..3)
        .map(|number| {
            let container = bench.engine.container("bulk").run();
            container.exec(&format!("echo {number} > /root/a.pt"));
            container.stop();
            container
        })
        .collect();
    let protected = bench.engine.container("kept").args(["--label", "ds01.protected=true"]).run();
    let names = [&all[0].name, &protected.name, &all[1].name, &all[2].name];
    let args: Vec<&str> =
        ["retire"].into_iter().chain(names.map(String::as_str)).chain(["--yes", "--json"]).collect();
    let answer = bench.outlast.run(&args);
    assert_eq!(answer.code, 4, "{}", answer.err);
    let report = answer.json();
    let results: Vec<_> =
        report["items"].as_array().unwrap().iter().map(|item| item["result"].clone()).collect();
    assert_eq!(results, ["done", "refused", "done", "done"]);
    assert_eq!((report["complete"].as_bool(), report["errors"].as_array().unwrap().len()), (Some(false), 1));
    assert!(answer.err.contains("1 of 4"), "{}", answer.err);
    assert!(protected.exists() && all.iter().all(|container| !container.exists()));
    for (number, container) in all.iter().enumerate() {
        bench.undo(container);
        bench.engine.run(&["start", &container.name]);
        let text = bench.engine.run(&["exec", &container.name, "cat", "/root/a.pt"]);
        assert_eq!(text, number.to_string());
    }
}

#[test]
fn an_image_that_something_else_uses_is_kept_and_said_to_be() {
    let Some(bench) = Bench::new() else { return };
    let image = format!("{}:1", crate::support::docker::unique("image"));
    bench.engine.run(&["tag", &bench.engine.base(), &image]);
    let (one, other) = (
        bench.engine.container("one").image(&image).create(),
        bench.engine.container("two").image(&image).create(),
    );
    let retired = bench.outlast.run(&["retire", &one.name, "--yes", "--images"]);
    let is_there = bench.engine.try_run(&["image", "inspect", &image]).is_ok();
    // By its other name the engine would let this one go.
    if retired.code == 0 {
        assert!(!is_there);
    } else {
        assert!(retired.code == 1 && retired.err.contains("its image is kept") && is_there, "{}", retired.err);
    }
    assert!(!one.exists() && other.exists());
    assert!(bench.engine.try_run(&["image", "inspect", &bench.engine.base()]).is_ok());
    let _ = bench.engine.try_run(&["rmi", &image]);
}

#[test]
fn packages_are_saved_in_an_image_of_a_new_name() {
    let Some(bench) = Bench::new() else { return };
    let name = crate::support::docker::unique("commit");
    bench.engine.run(&["tag", &bench.engine.base(), &format!("{name}:latest")]);
    let before = bench.engine.run(&["image", "inspect", "-f", "{{.Id}}", &format!("{name}:latest")]);
    let container = bench.engine.container("saves").image(format!("{name}:latest")).run();
    container.exec("echo new > /opt/package");
    let retired = bench.outlast.run(&["retire", &container.name, "--yes", "--save-packages"]);
    let tags = bench.engine.run(&["images", "--format", "{{.Tag}}", &name]);
    let after = bench.engine.run(&["image", "inspect", "-f", "{{.Id}}", &format!("{name}:latest")]);
    let saved = tags.lines().find(|tag| tag.starts_with("saved-")).map(|tag| format!("{name}:{tag}"));
    let kept = saved
        .as_ref()
        .map(|saved| bench.engine.run(&["run", "--rm", "--network", "none", saved, "cat", "/opt/package"]));
    for tag in tags.lines() {
        let _ = bench.engine.try_run(&["rmi", &format!("{name}:{tag}")]);
    }
    assert_eq!(retired.code, 0, "{}", retired.err);
    assert_eq!((before, kept.as_deref()), (after, Some("new")), "{tags}");
}

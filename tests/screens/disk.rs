//! The disk on the screen, looked at and accepted.

use outlast::ui::Theme;

use crate::support::{model, screen};

fn shot(columns: u16, rows: u16, keys: &str) -> String {
    screen::text(&screen::buffer(&model::after(columns, rows, keys), &Theme::dark()))
}

fn ascii(columns: u16, rows: u16, keys: &str) -> String {
    screen::text(&screen::buffer(&model::after(columns, rows, keys), &Theme::mono().ascii()))
}

#[test]
fn the_places_that_take_space_at_every_size() {
    insta::assert_snapshot!("disk_places_120x40", shot(120, 40, "3"));
    insta::assert_snapshot!("disk_places_80x24", shot(80, 24, "3"));
    insta::assert_snapshot!("disk_places_40x12", shot(40, 12, "3"));
    insta::assert_snapshot!("disk_places_80x24_ascii", ascii(80, 24, "3"));
    insta::assert_snapshot!("disk_places_filtered_80x24", shot(80, 24, "3/my-project<enter>"));
}

#[test]
fn a_tree_says_of_each_entry_how_large_it_is_and_what_becomes_of_it() {
    let project = "3/my-project:/work<enter><enter>";
    insta::assert_snapshot!("disk_tree_120x40", shot(120, 40, project));
    insta::assert_snapshot!("disk_tree_80x24", shot(80, 24, project));
    insta::assert_snapshot!("disk_tree_40x12", shot(40, 12, project));
    insta::assert_snapshot!("disk_tree_80x24_ascii", ascii(80, 24, project));
    insta::assert_snapshot!("disk_tree_data_80x24", shot(80, 24, &format!("{project}jl<space><space>")));
    insta::assert_snapshot!("disk_layer_80x24", shot(80, 24, "3/my-project layer<enter><enter>"));
    insta::assert_snapshot!(
        "disk_layer_if_stopped_80x24",
        shot(80, 24, "3/my-project layer<enter><enter>wk<enter>")
    );
}

#[test]
fn the_views_of_a_tree() {
    let project = "3/my-project:/work<enter><enter>";
    for (keys, view) in
        [("v", "largest"), ("vv", "newest"), ("vvv", "kinds"), ("vvvv", "owners"), ("vvvvj<enter>", "of_bob")]
    {
        insta::assert_snapshot!(format!("disk_{view}_80x24"), shot(80, 24, &format!("{project}{keys}")));
    }
}

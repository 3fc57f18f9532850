//! Tests where rows are drawn whose seats have no position, or all the same one.

use super::*;

fn drawing(lines: &str) -> Vec<String> {
    let content = format!("area,row,seat,x,y,category\n{lines}");
    drawn(&imported(ImportFormat::Csv, content.as_bytes()).unwrap())
}

#[test]
fn stacked_rows_are_drawn_below_everything_else_with_a_gap_between_areas() {
    let placed = "S,A,1,10,3,G\nS,A,2,12,3,G\nS,A,3,14,3,G\n";
    let stacked = "S,B,1,0,0,G\nS,B,2,0,0,G\nS,C,1,5,5,G\nS,C,2,5,5,G\nT,B,1,1,1,G\nT,A,1,1,1,G\nT,A,2,1,1,G\n";
    assert_eq!(
        drawing(&format!("{placed}{stacked}")),
        [
            "S/A: 1@10,3#G 2@12,3#G 3@14,3#G",
            "S/B: 1@10,7#G 2@12,7#G",
            "S/C: 1@10,9#G 2@12,9#G",
            "T/A: 1@10,13#G 2@12,13#G",
            "T/B: 1@10,15#G",
        ]
    );
}

#[test]
fn row_is_stacked_only_where_all_of_its_seats_share_their_position_with_another() {
    for (lines, expected) in [
        ("S,A,1,4,4,G\n", vec!["S/A: 1@4,4#G"]),
        ("S,A,1,4,4,G\nT,A,1,4,4,G\n", vec!["S/A: 1@4,4#G", "T/A: 1@4,4#G"]),
        ("S,A,1,4,4,G\nS,B,1,4,4,G\n", vec!["S/A: 1@0,0#G", "S/B: 1@0,1#G"]),
        ("S,A,1,0,0,G\nS,A,2,-0,0,G\n", vec!["S/A: 1@0,0#G 2@1,0#G"]),
        ("S,A,1,4,4,G\nS,B,1,4,4,G\nS,B,2,7,4,G\n", vec!["S/A: 1@4,10#G", "S/B: 1@4,4#G 2@7,4#G"]),
    ] {
        assert_eq!(drawing(lines), expected, "{lines}");
    }
}

#[test]
fn rows_without_positions_are_drawn_below_those_with_positions() {
    let lines = "S,A,1,-3,5,G\nS,A,2,-2,4,G\nT,B,2,,,G\nT,B,1,,,G\nT,A,1,,,G\nU,A,1,,,G\n";
    assert_eq!(drawing(lines), ["S/A: 1@-3,5#G 2@-2,4#G", "T/A: 1@0,8#G", "T/B: 1@0,9#G 2@1,9#G", "U/A: 1@0,11#G"]);
}

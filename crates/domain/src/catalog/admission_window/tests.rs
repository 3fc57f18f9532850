//! Tests windows from given times, contradicting times, and times that move with an event.

use super::*;

const HOUR: i64 = 3600;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_micros(hours * HOUR * 1_000_000)
}

/// Doors, end, from, until, in hours.
fn times(given: [Option<i64>; 4]) -> AdmissionTimes {
    let [doors_at, ends_at, admits_from, admits_until] = given.map(|hours| hours.map(at));
    AdmissionTimes { doors_at, ends_at, admits_from, admits_until }
}

fn hours(window: AdmissionWindow) -> (i64, i64) {
    (window.from.micros() / 1_000_000 / HOUR, window.until.micros() / 1_000_000 / HOUR)
}

const N: Option<i64> = None;

#[test]
fn event_admits_from_its_doors_until_a_day_after_its_end() {
    for (given, expected) in [
        ([N, N, N, N], (976, 1030)),
        ([Some(999), N, N, N], (999, 1030)),
        ([N, Some(1400), N, N], (976, 1424)),
        ([Some(999), Some(1002), N, N], (999, 1026)),
        ([Some(999), Some(1002), Some(900), N], (900, 1026)),
        ([Some(999), Some(1002), Some(900), Some(1001)], (900, 1001)),
        ([Some(1000), Some(1001), Some(1000), N], (1000, 1025)),
        ([N, N, Some(1005), N], (1005, 1030)),
        ([N, N, N, Some(1000)], (976, 1000)),
    ] {
        let times = times(given);
        assert_eq!(times.check_event(at(1000)), Ok(()), "{given:?}");
        assert_eq!(hours(times.event_window(at(1000))), expected, "{given:?}");
    }
}

#[test]
fn event_is_past_from_its_end_or_its_last_admission() {
    for (given, expected) in [
        ([N, N, N, N], 1006),
        ([N, Some(1400), N, N], 1400),
        ([N, N, N, Some(3000)], 3000),
        ([N, Some(1400), N, Some(1100)], 1100),
        ([N, Some(1400), N, Some(1500)], 1400),
        ([Some(990), N, Some(900), N], 1006),
    ] {
        assert_eq!(times(given).past_from(at(1000)), at(expected), "{given:?}");
    }
}

#[test]
fn ticket_type_without_times_has_the_window_of_its_event() {
    let event = AdmissionTimes::default().event_window(at(1000));
    for (given, expected) in [
        ([N, N, N, N], (976, 1030)),
        ([N, N, Some(800), N], (800, 1030)),
        ([Some(995), N, N, N], (995, 1030)),
        ([N, Some(1100), N, N], (976, 1124)),
        ([N, N, N, Some(9000)], (976, 9000)),
        ([N, N, Some(1200), Some(1300)], (1200, 1300)),
        ([Some(1000), Some(1001), N, N], (1000, 1025)),
    ] {
        assert_eq!(times(given).check_type(event), Ok(()), "{given:?}");
        assert_eq!(hours(times(given).type_window(event)), expected, "{given:?}");
    }
}

#[test]
fn contradiction_of_an_event_names_its_field() {
    for (given, field) in [
        ([N, Some(1000), N, N], "ends_at"),
        ([N, Some(1), N, N], "ends_at"),
        ([Some(1001), N, N, N], "doors_at"),
        ([Some(990), N, Some(991), N], "admits_from"),
        ([N, N, Some(1006), N], "admits_from"),
        ([N, Some(1010), Some(1010), N], "admits_from"),
        ([N, N, N, Some(999)], "admits_until"),
        ([N, N, Some(1002), Some(1002)], "admits_until"),
        ([N, N, Some(1003), Some(1002)], "admits_until"),
    ] {
        let refusal = times(given).check_event(at(1000)).unwrap_err();
        assert_eq!(refusal.evidence.field.as_deref(), Some(field), "{given:?}");
    }
}

#[test]
fn contradiction_of_a_ticket_type_names_its_field() {
    let event = AdmissionTimes::default().event_window(at(1000));
    for (given, field) in [
        ([Some(1000), Some(1000), N, N], "ends_at"),
        ([N, N, N, Some(976)], "admits_until"),
        ([N, N, Some(1030), N], "admits_from"),
        ([Some(1030), N, N, N], "doors_at"),
        ([N, Some(951), N, N], "ends_at"),
        ([Some(990), N, Some(991), N], "admits_from"),
        ([Some(990), N, N, Some(989)], "admits_until"),
    ] {
        let refusal = times(given).check_type(event).unwrap_err();
        assert_eq!(refusal.evidence.field.as_deref(), Some(field), "{given:?}");
    }
}

#[test]
fn times_are_default_only_where_none_is_given() {
    assert!(times([N, N, N, N]).is_default());
    for given in [[Some(1), N, N, N], [N, Some(1), N, N], [N, N, Some(1), N], [N, N, N, Some(1)]] {
        assert!(!times(given).is_default(), "{given:?}");
    }
}

#[test]
fn window_is_over_from_its_end() {
    let window = AdmissionWindow { from: at(10), until: at(20) };
    for (now, expected) in [(0, false), (10, false), (19, false), (20, true), (21, true)] {
        assert_eq!(window.is_over(at(now)), expected, "{now}");
    }
}

#[test]
fn ticket_type_without_a_window_has_that_of_its_event_and_the_widest_contains_all() {
    let id = |number| TicketTypeId::from_uuid(uuid::Uuid::from_u128(number));
    let window = |from, until| AdmissionWindow { from: at(from), until: at(until) };
    let types = vec![(id(1), window(5, 15)), (id(2), window(12, 30))];
    let windows = AdmissionWindows { event: window(10, 20), types };
    for (ticket_type, expected) in
        [(None, (10, 20)), (Some(id(1)), (5, 15)), (Some(id(2)), (12, 30)), (Some(id(3)), (10, 20))]
    {
        assert_eq!(hours(windows.window(ticket_type)), expected, "{ticket_type:?}");
    }
    assert_eq!(hours(windows.widest()), (5, 30));
    assert_eq!(hours(AdmissionWindows { event: window(10, 20), types: vec![] }.widest()), (10, 20));
}

#[test]
fn given_times_move_with_the_start() {
    let moved = times([Some(10), N, Some(5), Some(90)]).moved(7 * HOUR * 1_000_000);
    assert_eq!(moved, times([Some(17), N, Some(12), Some(97)]));
}

#[test]
fn scan_is_refused_only_when_its_whole_time_span_is_outside_of_the_window() {
    let window = AdmissionWindow { from: at(10), until: at(20) };
    for (earliest, latest, expected) in [
        (9, 9, Some(ScanReason::NotYet)),
        (9, 10, None),
        (10, 10, None),
        (19, 19, None),
        (19, 99, None),
        (20, 99, Some(ScanReason::Expired)),
        (0, 99, None),
    ] {
        let time = ScanTime { earliest: at(earliest), ..ScanTime::received(at(latest)) };
        assert_eq!(window.refusal_reason(&time), expected, "{earliest} {latest}");
    }
}

#[test]
fn window_at_the_limits_of_time_round_trips_through_rfc_3339() {
    let last: Timestamp = "9999-12-30T20:00:00Z".parse().unwrap();
    let first: Timestamp = "0001-01-01T00:00:00Z".parse().unwrap();
    for start in [first, last, Timestamp::from_micros(i64::MAX), Timestamp::from_micros(i64::MIN)] {
        let window = AdmissionTimes::default().event_window(start);
        for moment in [window.from, window.until] {
            assert_eq!(moment.to_string().parse(), Ok(moment), "{start:?}");
        }
    }
}

"""What the data says is shown as it is, and steers nothing."""

from orchestration.terminal import console, show_rows, told_apart, visible


def test_a_cell_that_looks_like_markup_is_shown_as_it_is() -> None:
    with console.capture() as told:
        show_rows([{"identifier_value": "a[/b]@x.example"}])
    assert "a[/b]@x.example" in told.get()


def test_signs_that_steer_a_terminal_are_told_by_their_codes() -> None:
    assert visible("Zoë\x1b[2J\u202e مریم") == "Zoë\\x1b[2J\\u202e مریم"


def test_a_row_of_too_many_columns_is_told_line_by_line() -> None:
    with console.capture() as told:
        show_rows([{f"column_{number}": f"value_{number}" for number in range(60)}])
    assert [f"value_{number}" in told.get() for number in range(60)] == [True] * 60


def test_columns_of_one_name_are_told_apart() -> None:
    assert told_apart(["a", "b", "a", "a_2", "a"]) == ["a", "b", "a_2", "a_2_2", "a_3"]

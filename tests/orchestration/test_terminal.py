"""What the data says is shown as it is, and steers nothing."""

from orchestration.terminal import console, show_rows, visible


def test_a_cell_that_looks_like_markup_is_shown_as_it_is() -> None:
    with console.capture() as told:
        show_rows([{"identifier_value": "a[/b]@x.example"}])
    assert "a[/b]@x.example" in told.get()


def test_signs_that_steer_a_terminal_are_told_by_their_codes() -> None:
    assert visible("Zoë\x1b[2J\u202e مریم") == "Zoë\\x1b[2J\\u202e مریم"

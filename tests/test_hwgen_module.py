"""Verilog modules as text: what becomes of names, resets and zero tests."""

from hwgen.module import comment, split_verilog, with_legal_names, with_synchronous_reset


def test_names_become_legal_and_stay_distinct():
    rtlil = r"wire \a.b wire \a_b wire \final wire \o$3 connect \a.b [1] \a_b"
    legal = r"wire \a_b_ wire \a_b wire \final_ wire \o_3 connect \a_b_ [1] \a_b"
    assert with_legal_names(rtlil) == legal


def test_only_resets_of_registers_become_synchronous():
    register = "cell $adff $1\n  connect \\ARST \\rst\nend\n"
    memory = "cell $memrd_v2 $2\n  connect \\ARST 1'0\nend\n"
    assert with_synchronous_reset(register + memory) == (
        "cell $sdff $1\n  connect \\SRST \\rst\nend\n" + memory
    )


def test_bodies_lose_ports_padding_and_multi_bit_negation():
    yosys = (
        "/* Generated */\n\nmodule a(i, o, p);\n  input [1:0] i;\n  wire [1:0] i;\n  output o;\n"
        "  reg o;\n  output p;\n  wire p;\n  wire x;\n  reg [3:0] m [7:0];\n"
        "  assign x = ! i;\n  assign p = & { i, x };\nendmodule\n\nmodule b();\nendmodule\n"
    )
    body = "  wire x;\n  reg [3:0] m [7:0];\n  assign x = i == 0;\n  assign p = & {i, x};\n"
    assert split_verilog(yosys) == {"a": (body, frozenset("o")), "b": ("", frozenset())}


def test_a_port_list_may_go_over_lines():
    yosys = "module a(i, o\n, p);\n  input i;\n  output o;\n  output p;\nendmodule\n"
    assert split_verilog(yosys) == {"a": ("", frozenset())}


def test_comments_are_wrapped():
    assert comment("") == ""
    assert comment("word " * 40) == f"// {'word ' * 18}word\n// {'word ' * 18}word\n// word word\n"

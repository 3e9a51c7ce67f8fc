"""
The compiled kernels. Arrays come as addresses, 0 for null; nothing is checked here: shapes, owners and aliasing stand in kernels/include/unrolled, and unrolled.kernels is the door.
"""



def isa() -> str:
    """The instruction set in use: 'generic' or 'avx2'."""

def use_isa(name: str) -> None:
    """
    Use this instruction set from now on; ValueError where it is not at hand.
    """

def has_isa(name: str) -> bool:
    """
    True where this instruction set was compiled in and the processor has it.
    """

def compiler() -> str:
    """The compiler that made this module, with its version."""

def lstm_step(batch: int, input: int, hidden: int, x: int, h: int, c: int, weight_ih: int, weight_hh: int, bias_ih: int, bias_hh: int, h_out: int, c_out: int) -> None:
    """One step of an LSTM on float32 arrays (lstm_step.h)."""

def oracle_lstm_step(batch: int, input: int, hidden: int, x: int, h: int, c: int, weight_ih: int, weight_hh: int, bias_ih: int, bias_hh: int, h_out: int, c_out: int) -> None:
    """The same in plain loops on float64 arrays: the fast step's oracle."""

def gru_step(batch: int, input: int, hidden: int, x: int, h: int, weight_ih: int, weight_hh: int, bias_ih: int, bias_hh: int, h_out: int) -> None:
    """One step of a GRU on float32 arrays (gru_step.h)."""

def oracle_gru_step(batch: int, input: int, hidden: int, x: int, h: int, weight_ih: int, weight_hh: int, bias_ih: int, bias_hh: int, h_out: int) -> None:
    """The same in plain loops on float64 arrays: the fast step's oracle."""

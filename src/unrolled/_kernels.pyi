"""
The compiled kernels. Arrays come as addresses, 0 for null; nothing is checked here: shapes, owners and aliasing stand in kernels/include/unrolled, and unrolled.kernels is the door.
"""

from collections.abc import Sequence
from typing import overload


def isa() -> str:
    """The instruction set in use: 'generic', 'avx2' or 'avx512'."""

def use_isa(name: str) -> None:
    """
    Use this instruction set from now on; ValueError where it is not at hand.
    """

def has_isa(name: str) -> bool:
    """
    True where this instruction set was compiled in and the processor has it.
    """

def run_tiles(times: int) -> float:
    """
    Run the inner loop of all products so often; gives the floating-point operations done.
    """

def prefer_large_pages(array: int, bytes: int) -> None:
    """
    Ask the system to back an array by large pages, where it is large (pages.h).
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

def gates(cell: int, batch: int, hidden: int, input: int, state: int, bias_ih: int, bias_hh: int, h: int, c: int, h_out: int, c_out: int) -> None:
    """
    From products in bfloat16 to the state after a step, float32 (gates.h).
    """

def oracle_gates(cell: int, batch: int, hidden: int, input: int, state: int, bias_ih: int, bias_hh: int, h: int, c: int, h_out: int, c_out: int) -> None:
    """The same in plain loops on float64 arrays: the fast code's oracle."""

class Forward32:
    """
    Arguments of a forward call (sequence.h), its structs laid flat; all 0 at first.
    """

    @overload
    def __init__(self) -> None: ...

    @overload
    def __init__(self, other: Forward32) -> None:
        """A copy, to fill in further."""

    @property
    def cell(self) -> int: ...

    @cell.setter
    def cell(self, arg: int, /) -> None: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, arg: int, /) -> None: ...

    @property
    def batch(self) -> int: ...

    @batch.setter
    def batch(self, arg: int, /) -> None: ...

    @property
    def input(self) -> int: ...

    @input.setter
    def input(self, arg: int, /) -> None: ...

    @property
    def hidden(self) -> int: ...

    @hidden.setter
    def hidden(self, arg: int, /) -> None: ...

    @property
    def output(self) -> int: ...

    @output.setter
    def output(self, arg: int, /) -> None: ...

    @property
    def reverse(self) -> bool: ...

    @reverse.setter
    def reverse(self, arg: bool, /) -> None: ...

    @property
    def threads(self) -> int: ...

    @threads.setter
    def threads(self, arg: int, /) -> None: ...

    @property
    def lengths(self) -> int: ...

    @lengths.setter
    def lengths(self, arg: int, /) -> None: ...

    @property
    def batch_sizes(self) -> int: ...

    @batch_sizes.setter
    def batch_sizes(self, arg: int, /) -> None: ...

    @property
    def starts(self) -> int: ...

    @starts.setter
    def starts(self, arg: int, /) -> None: ...

    @property
    def starts_time(self) -> int: ...

    @starts_time.setter
    def starts_time(self, arg: int, /) -> None: ...

    @property
    def starts_row(self) -> int: ...

    @starts_row.setter
    def starts_row(self, arg: int, /) -> None: ...

    @property
    def weight_ih(self) -> int: ...

    @weight_ih.setter
    def weight_ih(self, arg: int, /) -> None: ...

    @property
    def weight_hh(self) -> int: ...

    @weight_hh.setter
    def weight_hh(self, arg: int, /) -> None: ...

    @property
    def bias_ih(self) -> int: ...

    @bias_ih.setter
    def bias_ih(self, arg: int, /) -> None: ...

    @property
    def bias_hh(self) -> int: ...

    @bias_hh.setter
    def bias_hh(self, arg: int, /) -> None: ...

    @property
    def weight_hr(self) -> int: ...

    @weight_hr.setter
    def weight_hr(self, arg: int, /) -> None: ...

    @property
    def peephole(self) -> int: ...

    @peephole.setter
    def peephole(self, arg: int, /) -> None: ...

    @property
    def gain_ih(self) -> int: ...

    @gain_ih.setter
    def gain_ih(self, arg: int, /) -> None: ...

    @property
    def gain_hh(self) -> int: ...

    @gain_hh.setter
    def gain_hh(self, arg: int, /) -> None: ...

    @property
    def norm_c(self) -> int: ...

    @norm_c.setter
    def norm_c(self, arg: int, /) -> None: ...

    @property
    def epsilon(self) -> float: ...

    @epsilon.setter
    def epsilon(self, arg: float, /) -> None: ...

    @property
    def zoneout_h(self) -> int: ...

    @zoneout_h.setter
    def zoneout_h(self, arg: int, /) -> None: ...

    @property
    def zoneout_c(self) -> int: ...

    @zoneout_c.setter
    def zoneout_c(self, arg: int, /) -> None: ...

    @property
    def rate_h(self) -> float: ...

    @rate_h.setter
    def rate_h(self, arg: float, /) -> None: ...

    @property
    def rate_c(self) -> float: ...

    @rate_c.setter
    def rate_c(self, arg: float, /) -> None: ...

    @property
    def recurrent_mask(self) -> int: ...

    @recurrent_mask.setter
    def recurrent_mask(self, arg: int, /) -> None: ...

    @property
    def x(self) -> int: ...

    @x.setter
    def x(self, arg: int, /) -> None: ...

    @property
    def x_time(self) -> int: ...

    @x_time.setter
    def x_time(self, arg: int, /) -> None: ...

    @property
    def x_row(self) -> int: ...

    @x_row.setter
    def x_row(self, arg: int, /) -> None: ...

    @property
    def h0(self) -> int: ...

    @h0.setter
    def h0(self, arg: int, /) -> None: ...

    @property
    def c0(self) -> int: ...

    @c0.setter
    def c0(self, arg: int, /) -> None: ...

    @property
    def y(self) -> int: ...

    @y.setter
    def y(self, arg: int, /) -> None: ...

    @property
    def y_time(self) -> int: ...

    @y_time.setter
    def y_time(self, arg: int, /) -> None: ...

    @property
    def y_row(self) -> int: ...

    @y_row.setter
    def y_row(self, arg: int, /) -> None: ...

    @property
    def hn(self) -> int: ...

    @hn.setter
    def hn(self, arg: int, /) -> None: ...

    @property
    def cn(self) -> int: ...

    @cn.setter
    def cn(self, arg: int, /) -> None: ...

    @property
    def gates(self) -> int: ...

    @gates.setter
    def gates(self, arg: int, /) -> None: ...

    @property
    def cells(self) -> int: ...

    @cells.setter
    def cells(self, arg: int, /) -> None: ...

    @property
    def normed_ih(self) -> int: ...

    @normed_ih.setter
    def normed_ih(self, arg: int, /) -> None: ...

    @property
    def normed_hh(self) -> int: ...

    @normed_hh.setter
    def normed_hh(self, arg: int, /) -> None: ...

    @property
    def scale_ih(self) -> int: ...

    @scale_ih.setter
    def scale_ih(self, arg: int, /) -> None: ...

    @property
    def scale_hh(self) -> int: ...

    @scale_hh.setter
    def scale_hh(self, arg: int, /) -> None: ...

    @property
    def stats_c(self) -> int: ...

    @stats_c.setter
    def stats_c(self, arg: int, /) -> None: ...

class Forward64:
    """
    Arguments of a forward call (sequence.h), its structs laid flat; all 0 at first.
    """

    @overload
    def __init__(self) -> None: ...

    @overload
    def __init__(self, other: Forward64) -> None:
        """A copy, to fill in further."""

    @property
    def cell(self) -> int: ...

    @cell.setter
    def cell(self, arg: int, /) -> None: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, arg: int, /) -> None: ...

    @property
    def batch(self) -> int: ...

    @batch.setter
    def batch(self, arg: int, /) -> None: ...

    @property
    def input(self) -> int: ...

    @input.setter
    def input(self, arg: int, /) -> None: ...

    @property
    def hidden(self) -> int: ...

    @hidden.setter
    def hidden(self, arg: int, /) -> None: ...

    @property
    def output(self) -> int: ...

    @output.setter
    def output(self, arg: int, /) -> None: ...

    @property
    def reverse(self) -> bool: ...

    @reverse.setter
    def reverse(self, arg: bool, /) -> None: ...

    @property
    def threads(self) -> int: ...

    @threads.setter
    def threads(self, arg: int, /) -> None: ...

    @property
    def lengths(self) -> int: ...

    @lengths.setter
    def lengths(self, arg: int, /) -> None: ...

    @property
    def batch_sizes(self) -> int: ...

    @batch_sizes.setter
    def batch_sizes(self, arg: int, /) -> None: ...

    @property
    def starts(self) -> int: ...

    @starts.setter
    def starts(self, arg: int, /) -> None: ...

    @property
    def starts_time(self) -> int: ...

    @starts_time.setter
    def starts_time(self, arg: int, /) -> None: ...

    @property
    def starts_row(self) -> int: ...

    @starts_row.setter
    def starts_row(self, arg: int, /) -> None: ...

    @property
    def weight_ih(self) -> int: ...

    @weight_ih.setter
    def weight_ih(self, arg: int, /) -> None: ...

    @property
    def weight_hh(self) -> int: ...

    @weight_hh.setter
    def weight_hh(self, arg: int, /) -> None: ...

    @property
    def bias_ih(self) -> int: ...

    @bias_ih.setter
    def bias_ih(self, arg: int, /) -> None: ...

    @property
    def bias_hh(self) -> int: ...

    @bias_hh.setter
    def bias_hh(self, arg: int, /) -> None: ...

    @property
    def weight_hr(self) -> int: ...

    @weight_hr.setter
    def weight_hr(self, arg: int, /) -> None: ...

    @property
    def peephole(self) -> int: ...

    @peephole.setter
    def peephole(self, arg: int, /) -> None: ...

    @property
    def gain_ih(self) -> int: ...

    @gain_ih.setter
    def gain_ih(self, arg: int, /) -> None: ...

    @property
    def gain_hh(self) -> int: ...

    @gain_hh.setter
    def gain_hh(self, arg: int, /) -> None: ...

    @property
    def norm_c(self) -> int: ...

    @norm_c.setter
    def norm_c(self, arg: int, /) -> None: ...

    @property
    def epsilon(self) -> float: ...

    @epsilon.setter
    def epsilon(self, arg: float, /) -> None: ...

    @property
    def zoneout_h(self) -> int: ...

    @zoneout_h.setter
    def zoneout_h(self, arg: int, /) -> None: ...

    @property
    def zoneout_c(self) -> int: ...

    @zoneout_c.setter
    def zoneout_c(self, arg: int, /) -> None: ...

    @property
    def rate_h(self) -> float: ...

    @rate_h.setter
    def rate_h(self, arg: float, /) -> None: ...

    @property
    def rate_c(self) -> float: ...

    @rate_c.setter
    def rate_c(self, arg: float, /) -> None: ...

    @property
    def recurrent_mask(self) -> int: ...

    @recurrent_mask.setter
    def recurrent_mask(self, arg: int, /) -> None: ...

    @property
    def x(self) -> int: ...

    @x.setter
    def x(self, arg: int, /) -> None: ...

    @property
    def x_time(self) -> int: ...

    @x_time.setter
    def x_time(self, arg: int, /) -> None: ...

    @property
    def x_row(self) -> int: ...

    @x_row.setter
    def x_row(self, arg: int, /) -> None: ...

    @property
    def h0(self) -> int: ...

    @h0.setter
    def h0(self, arg: int, /) -> None: ...

    @property
    def c0(self) -> int: ...

    @c0.setter
    def c0(self, arg: int, /) -> None: ...

    @property
    def y(self) -> int: ...

    @y.setter
    def y(self, arg: int, /) -> None: ...

    @property
    def y_time(self) -> int: ...

    @y_time.setter
    def y_time(self, arg: int, /) -> None: ...

    @property
    def y_row(self) -> int: ...

    @y_row.setter
    def y_row(self, arg: int, /) -> None: ...

    @property
    def hn(self) -> int: ...

    @hn.setter
    def hn(self, arg: int, /) -> None: ...

    @property
    def cn(self) -> int: ...

    @cn.setter
    def cn(self, arg: int, /) -> None: ...

    @property
    def gates(self) -> int: ...

    @gates.setter
    def gates(self, arg: int, /) -> None: ...

    @property
    def cells(self) -> int: ...

    @cells.setter
    def cells(self, arg: int, /) -> None: ...

    @property
    def normed_ih(self) -> int: ...

    @normed_ih.setter
    def normed_ih(self, arg: int, /) -> None: ...

    @property
    def normed_hh(self) -> int: ...

    @normed_hh.setter
    def normed_hh(self, arg: int, /) -> None: ...

    @property
    def scale_ih(self) -> int: ...

    @scale_ih.setter
    def scale_ih(self, arg: int, /) -> None: ...

    @property
    def scale_hh(self) -> int: ...

    @scale_hh.setter
    def scale_hh(self, arg: int, /) -> None: ...

    @property
    def stats_c(self) -> int: ...

    @stats_c.setter
    def stats_c(self, arg: int, /) -> None: ...

class Backward32:
    """Arguments of a backward call (sequence.h), laid flat; all 0 at first."""

    def __init__(self) -> None: ...

    @property
    def forward(self) -> Forward32:
        """The forward call; copied where it is assigned."""

    @forward.setter
    def forward(self, arg: Forward32, /) -> None: ...

    @property
    def dy(self) -> int: ...

    @dy.setter
    def dy(self, arg: int, /) -> None: ...

    @property
    def dy_time(self) -> int: ...

    @dy_time.setter
    def dy_time(self, arg: int, /) -> None: ...

    @property
    def dy_row(self) -> int: ...

    @dy_row.setter
    def dy_row(self, arg: int, /) -> None: ...

    @property
    def dhn(self) -> int: ...

    @dhn.setter
    def dhn(self, arg: int, /) -> None: ...

    @property
    def dcn(self) -> int: ...

    @dcn.setter
    def dcn(self, arg: int, /) -> None: ...

    @property
    def dcells(self) -> int: ...

    @dcells.setter
    def dcells(self, arg: int, /) -> None: ...

    @property
    def dgates(self) -> int: ...

    @dgates.setter
    def dgates(self, arg: int, /) -> None: ...

    @property
    def dx(self) -> int: ...

    @dx.setter
    def dx(self, arg: int, /) -> None: ...

    @property
    def dx_time(self) -> int: ...

    @dx_time.setter
    def dx_time(self, arg: int, /) -> None: ...

    @property
    def dx_row(self) -> int: ...

    @dx_row.setter
    def dx_row(self, arg: int, /) -> None: ...

    @property
    def dh0(self) -> int: ...

    @dh0.setter
    def dh0(self, arg: int, /) -> None: ...

    @property
    def dc0(self) -> int: ...

    @dc0.setter
    def dc0(self, arg: int, /) -> None: ...

    @property
    def d_weight_ih(self) -> int: ...

    @d_weight_ih.setter
    def d_weight_ih(self, arg: int, /) -> None: ...

    @property
    def d_weight_hh(self) -> int: ...

    @d_weight_hh.setter
    def d_weight_hh(self, arg: int, /) -> None: ...

    @property
    def d_bias_ih(self) -> int: ...

    @d_bias_ih.setter
    def d_bias_ih(self, arg: int, /) -> None: ...

    @property
    def d_bias_hh(self) -> int: ...

    @d_bias_hh.setter
    def d_bias_hh(self, arg: int, /) -> None: ...

    @property
    def d_weight_hr(self) -> int: ...

    @d_weight_hr.setter
    def d_weight_hr(self, arg: int, /) -> None: ...

    @property
    def d_peephole(self) -> int: ...

    @d_peephole.setter
    def d_peephole(self, arg: int, /) -> None: ...

    @property
    def d_gain_ih(self) -> int: ...

    @d_gain_ih.setter
    def d_gain_ih(self, arg: int, /) -> None: ...

    @property
    def d_gain_hh(self) -> int: ...

    @d_gain_hh.setter
    def d_gain_hh(self, arg: int, /) -> None: ...

    @property
    def d_norm_c(self) -> int: ...

    @d_norm_c.setter
    def d_norm_c(self, arg: int, /) -> None: ...

    @property
    def dh(self) -> int: ...

    @dh.setter
    def dh(self, arg: int, /) -> None: ...

    @property
    def dc(self) -> int: ...

    @dc.setter
    def dc(self, arg: int, /) -> None: ...

class Backward64:
    """Arguments of a backward call (sequence.h), laid flat; all 0 at first."""

    def __init__(self) -> None: ...

    @property
    def forward(self) -> Forward64:
        """The forward call; copied where it is assigned."""

    @forward.setter
    def forward(self, arg: Forward64, /) -> None: ...

    @property
    def dy(self) -> int: ...

    @dy.setter
    def dy(self, arg: int, /) -> None: ...

    @property
    def dy_time(self) -> int: ...

    @dy_time.setter
    def dy_time(self, arg: int, /) -> None: ...

    @property
    def dy_row(self) -> int: ...

    @dy_row.setter
    def dy_row(self, arg: int, /) -> None: ...

    @property
    def dhn(self) -> int: ...

    @dhn.setter
    def dhn(self, arg: int, /) -> None: ...

    @property
    def dcn(self) -> int: ...

    @dcn.setter
    def dcn(self, arg: int, /) -> None: ...

    @property
    def dcells(self) -> int: ...

    @dcells.setter
    def dcells(self, arg: int, /) -> None: ...

    @property
    def dgates(self) -> int: ...

    @dgates.setter
    def dgates(self, arg: int, /) -> None: ...

    @property
    def dx(self) -> int: ...

    @dx.setter
    def dx(self, arg: int, /) -> None: ...

    @property
    def dx_time(self) -> int: ...

    @dx_time.setter
    def dx_time(self, arg: int, /) -> None: ...

    @property
    def dx_row(self) -> int: ...

    @dx_row.setter
    def dx_row(self, arg: int, /) -> None: ...

    @property
    def dh0(self) -> int: ...

    @dh0.setter
    def dh0(self, arg: int, /) -> None: ...

    @property
    def dc0(self) -> int: ...

    @dc0.setter
    def dc0(self, arg: int, /) -> None: ...

    @property
    def d_weight_ih(self) -> int: ...

    @d_weight_ih.setter
    def d_weight_ih(self, arg: int, /) -> None: ...

    @property
    def d_weight_hh(self) -> int: ...

    @d_weight_hh.setter
    def d_weight_hh(self, arg: int, /) -> None: ...

    @property
    def d_bias_ih(self) -> int: ...

    @d_bias_ih.setter
    def d_bias_ih(self, arg: int, /) -> None: ...

    @property
    def d_bias_hh(self) -> int: ...

    @d_bias_hh.setter
    def d_bias_hh(self, arg: int, /) -> None: ...

    @property
    def d_weight_hr(self) -> int: ...

    @d_weight_hr.setter
    def d_weight_hr(self, arg: int, /) -> None: ...

    @property
    def d_peephole(self) -> int: ...

    @d_peephole.setter
    def d_peephole(self, arg: int, /) -> None: ...

    @property
    def d_gain_ih(self) -> int: ...

    @d_gain_ih.setter
    def d_gain_ih(self, arg: int, /) -> None: ...

    @property
    def d_gain_hh(self) -> int: ...

    @d_gain_hh.setter
    def d_gain_hh(self, arg: int, /) -> None: ...

    @property
    def d_norm_c(self) -> int: ...

    @d_norm_c.setter
    def d_norm_c(self, arg: int, /) -> None: ...

    @property
    def dh(self) -> int: ...

    @dh.setter
    def dh(self, arg: int, /) -> None: ...

    @property
    def dc(self) -> int: ...

    @dc.setter
    def dc(self, arg: int, /) -> None: ...

@overload
def forward(call: Forward32) -> None:
    """A recurrent layer over time, in one direction (sequence.h)."""

@overload
def forward(call: Forward64) -> None:
    """The same in float64."""

@overload
def backward(call: Backward32) -> None:
    """
    The gradients of a recurrent layer over time, in one direction (sequence.h).
    """

@overload
def backward(call: Backward64) -> None:
    """The same in float64."""

def oracle_forward(call: Forward64) -> None:
    """
    A recurrent layer over time in plain loops: what the fast forward is tested against.
    """

def oracle_backward(call: Backward64) -> None:
    """
    Its gradients in plain loops: what the fast backward is tested against.
    """

class MinimalForward32:
    """
    Arguments of a minimal_forward call (minimal.h), laid flat; all 0 at first.
    """

    def __init__(self) -> None: ...

    @property
    def cell(self) -> int: ...

    @cell.setter
    def cell(self, arg: int, /) -> None: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, arg: int, /) -> None: ...

    @property
    def batch(self) -> int: ...

    @batch.setter
    def batch(self, arg: int, /) -> None: ...

    @property
    def input(self) -> int: ...

    @input.setter
    def input(self, arg: int, /) -> None: ...

    @property
    def hidden(self) -> int: ...

    @hidden.setter
    def hidden(self, arg: int, /) -> None: ...

    @property
    def output(self) -> int: ...

    @output.setter
    def output(self, arg: int, /) -> None: ...

    @property
    def reverse(self) -> bool: ...

    @reverse.setter
    def reverse(self, arg: bool, /) -> None: ...

    @property
    def threads(self) -> int: ...

    @threads.setter
    def threads(self, arg: int, /) -> None: ...

    @property
    def lengths(self) -> int: ...

    @lengths.setter
    def lengths(self, arg: int, /) -> None: ...

    @property
    def batch_sizes(self) -> int: ...

    @batch_sizes.setter
    def batch_sizes(self, arg: int, /) -> None: ...

    @property
    def starts(self) -> int: ...

    @starts.setter
    def starts(self, arg: int, /) -> None: ...

    @property
    def starts_time(self) -> int: ...

    @starts_time.setter
    def starts_time(self, arg: int, /) -> None: ...

    @property
    def starts_row(self) -> int: ...

    @starts_row.setter
    def starts_row(self, arg: int, /) -> None: ...

    @property
    def weight(self) -> int: ...

    @weight.setter
    def weight(self, arg: int, /) -> None: ...

    @property
    def bias(self) -> int: ...

    @bias.setter
    def bias(self, arg: int, /) -> None: ...

    @property
    def x(self) -> int: ...

    @x.setter
    def x(self, arg: int, /) -> None: ...

    @property
    def x_time(self) -> int: ...

    @x_time.setter
    def x_time(self, arg: int, /) -> None: ...

    @property
    def x_row(self) -> int: ...

    @x_row.setter
    def x_row(self, arg: int, /) -> None: ...

    @property
    def h0(self) -> int: ...

    @h0.setter
    def h0(self, arg: int, /) -> None: ...

    @property
    def y(self) -> int: ...

    @y.setter
    def y(self, arg: int, /) -> None: ...

    @property
    def y_time(self) -> int: ...

    @y_time.setter
    def y_time(self, arg: int, /) -> None: ...

    @property
    def y_row(self) -> int: ...

    @y_row.setter
    def y_row(self, arg: int, /) -> None: ...

    @property
    def hn(self) -> int: ...

    @hn.setter
    def hn(self, arg: int, /) -> None: ...

    @property
    def kept(self) -> int: ...

    @kept.setter
    def kept(self, arg: int, /) -> None: ...

class MinimalForward64:
    """
    Arguments of a minimal_forward call (minimal.h), laid flat; all 0 at first.
    """

    def __init__(self) -> None: ...

    @property
    def cell(self) -> int: ...

    @cell.setter
    def cell(self, arg: int, /) -> None: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, arg: int, /) -> None: ...

    @property
    def batch(self) -> int: ...

    @batch.setter
    def batch(self, arg: int, /) -> None: ...

    @property
    def input(self) -> int: ...

    @input.setter
    def input(self, arg: int, /) -> None: ...

    @property
    def hidden(self) -> int: ...

    @hidden.setter
    def hidden(self, arg: int, /) -> None: ...

    @property
    def output(self) -> int: ...

    @output.setter
    def output(self, arg: int, /) -> None: ...

    @property
    def reverse(self) -> bool: ...

    @reverse.setter
    def reverse(self, arg: bool, /) -> None: ...

    @property
    def threads(self) -> int: ...

    @threads.setter
    def threads(self, arg: int, /) -> None: ...

    @property
    def lengths(self) -> int: ...

    @lengths.setter
    def lengths(self, arg: int, /) -> None: ...

    @property
    def batch_sizes(self) -> int: ...

    @batch_sizes.setter
    def batch_sizes(self, arg: int, /) -> None: ...

    @property
    def starts(self) -> int: ...

    @starts.setter
    def starts(self, arg: int, /) -> None: ...

    @property
    def starts_time(self) -> int: ...

    @starts_time.setter
    def starts_time(self, arg: int, /) -> None: ...

    @property
    def starts_row(self) -> int: ...

    @starts_row.setter
    def starts_row(self, arg: int, /) -> None: ...

    @property
    def weight(self) -> int: ...

    @weight.setter
    def weight(self, arg: int, /) -> None: ...

    @property
    def bias(self) -> int: ...

    @bias.setter
    def bias(self, arg: int, /) -> None: ...

    @property
    def x(self) -> int: ...

    @x.setter
    def x(self, arg: int, /) -> None: ...

    @property
    def x_time(self) -> int: ...

    @x_time.setter
    def x_time(self, arg: int, /) -> None: ...

    @property
    def x_row(self) -> int: ...

    @x_row.setter
    def x_row(self, arg: int, /) -> None: ...

    @property
    def h0(self) -> int: ...

    @h0.setter
    def h0(self, arg: int, /) -> None: ...

    @property
    def y(self) -> int: ...

    @y.setter
    def y(self, arg: int, /) -> None: ...

    @property
    def y_time(self) -> int: ...

    @y_time.setter
    def y_time(self, arg: int, /) -> None: ...

    @property
    def y_row(self) -> int: ...

    @y_row.setter
    def y_row(self, arg: int, /) -> None: ...

    @property
    def hn(self) -> int: ...

    @hn.setter
    def hn(self, arg: int, /) -> None: ...

    @property
    def kept(self) -> int: ...

    @kept.setter
    def kept(self, arg: int, /) -> None: ...

class MinimalBackward32:
    """
    Arguments of a minimal_backward call (minimal.h), laid flat; all 0 at first.
    """

    def __init__(self) -> None: ...

    @property
    def forward(self) -> MinimalForward32:
        """The forward call; copied where it is assigned."""

    @forward.setter
    def forward(self, arg: MinimalForward32, /) -> None: ...

    @property
    def dy(self) -> int: ...

    @dy.setter
    def dy(self, arg: int, /) -> None: ...

    @property
    def dy_time(self) -> int: ...

    @dy_time.setter
    def dy_time(self, arg: int, /) -> None: ...

    @property
    def dy_row(self) -> int: ...

    @dy_row.setter
    def dy_row(self, arg: int, /) -> None: ...

    @property
    def dhn(self) -> int: ...

    @dhn.setter
    def dhn(self, arg: int, /) -> None: ...

    @property
    def dsums(self) -> int: ...

    @dsums.setter
    def dsums(self, arg: int, /) -> None: ...

    @property
    def dx(self) -> int: ...

    @dx.setter
    def dx(self, arg: int, /) -> None: ...

    @property
    def dx_time(self) -> int: ...

    @dx_time.setter
    def dx_time(self, arg: int, /) -> None: ...

    @property
    def dx_row(self) -> int: ...

    @dx_row.setter
    def dx_row(self, arg: int, /) -> None: ...

    @property
    def dh0(self) -> int: ...

    @dh0.setter
    def dh0(self, arg: int, /) -> None: ...

    @property
    def d_weight(self) -> int: ...

    @d_weight.setter
    def d_weight(self, arg: int, /) -> None: ...

    @property
    def d_bias(self) -> int: ...

    @d_bias.setter
    def d_bias(self, arg: int, /) -> None: ...

    @property
    def dh(self) -> int: ...

    @dh.setter
    def dh(self, arg: int, /) -> None: ...

class MinimalBackward64:
    """
    Arguments of a minimal_backward call (minimal.h), laid flat; all 0 at first.
    """

    def __init__(self) -> None: ...

    @property
    def forward(self) -> MinimalForward64:
        """The forward call; copied where it is assigned."""

    @forward.setter
    def forward(self, arg: MinimalForward64, /) -> None: ...

    @property
    def dy(self) -> int: ...

    @dy.setter
    def dy(self, arg: int, /) -> None: ...

    @property
    def dy_time(self) -> int: ...

    @dy_time.setter
    def dy_time(self, arg: int, /) -> None: ...

    @property
    def dy_row(self) -> int: ...

    @dy_row.setter
    def dy_row(self, arg: int, /) -> None: ...

    @property
    def dhn(self) -> int: ...

    @dhn.setter
    def dhn(self, arg: int, /) -> None: ...

    @property
    def dsums(self) -> int: ...

    @dsums.setter
    def dsums(self, arg: int, /) -> None: ...

    @property
    def dx(self) -> int: ...

    @dx.setter
    def dx(self, arg: int, /) -> None: ...

    @property
    def dx_time(self) -> int: ...

    @dx_time.setter
    def dx_time(self, arg: int, /) -> None: ...

    @property
    def dx_row(self) -> int: ...

    @dx_row.setter
    def dx_row(self, arg: int, /) -> None: ...

    @property
    def dh0(self) -> int: ...

    @dh0.setter
    def dh0(self, arg: int, /) -> None: ...

    @property
    def d_weight(self) -> int: ...

    @d_weight.setter
    def d_weight(self, arg: int, /) -> None: ...

    @property
    def d_bias(self) -> int: ...

    @d_bias.setter
    def d_bias(self, arg: int, /) -> None: ...

    @property
    def dh(self) -> int: ...

    @dh.setter
    def dh(self, arg: int, /) -> None: ...

@overload
def minimal_forward(call: MinimalForward32) -> None:
    """A minGRU or minLSTM layer over time, in one direction (minimal.h)."""

@overload
def minimal_forward(call: MinimalForward64) -> None:
    """The same in float64."""

@overload
def minimal_backward(call: MinimalBackward32) -> None:
    """The gradients of a minGRU or minLSTM layer over time (minimal.h)."""

@overload
def minimal_backward(call: MinimalBackward64) -> None:
    """The same in float64."""

def oracle_minimal_forward(call: MinimalForward64) -> None:
    """A minGRU or minLSTM layer in plain loops: the fast forward's oracle."""

def oracle_minimal_backward(call: MinimalBackward64) -> None:
    """Its gradients in plain loops: the fast backward's oracle."""

class ScanForward32:
    """Arguments of a scan_forward call (scan.h), laid flat; all 0 at first."""

    def __init__(self) -> None: ...

    @property
    def cell(self) -> int: ...

    @cell.setter
    def cell(self, arg: int, /) -> None: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, arg: int, /) -> None: ...

    @property
    def batch(self) -> int: ...

    @batch.setter
    def batch(self, arg: int, /) -> None: ...

    @property
    def input(self) -> int: ...

    @input.setter
    def input(self, arg: int, /) -> None: ...

    @property
    def hidden(self) -> int: ...

    @hidden.setter
    def hidden(self, arg: int, /) -> None: ...

    @property
    def output(self) -> int: ...

    @output.setter
    def output(self, arg: int, /) -> None: ...

    @property
    def reverse(self) -> bool: ...

    @reverse.setter
    def reverse(self, arg: bool, /) -> None: ...

    @property
    def threads(self) -> int: ...

    @threads.setter
    def threads(self, arg: int, /) -> None: ...

    @property
    def lengths(self) -> int: ...

    @lengths.setter
    def lengths(self, arg: int, /) -> None: ...

    @property
    def batch_sizes(self) -> int: ...

    @batch_sizes.setter
    def batch_sizes(self, arg: int, /) -> None: ...

    @property
    def starts(self) -> int: ...

    @starts.setter
    def starts(self, arg: int, /) -> None: ...

    @property
    def starts_time(self) -> int: ...

    @starts_time.setter
    def starts_time(self, arg: int, /) -> None: ...

    @property
    def starts_row(self) -> int: ...

    @starts_row.setter
    def starts_row(self, arg: int, /) -> None: ...

    @property
    def complex(self) -> bool: ...

    @complex.setter
    def complex(self, arg: bool, /) -> None: ...

    @property
    def factors(self) -> int: ...

    @factors.setter
    def factors(self, arg: int, /) -> None: ...

    @property
    def a(self) -> int: ...

    @a.setter
    def a(self, arg: int, /) -> None: ...

    @property
    def a_time(self) -> int: ...

    @a_time.setter
    def a_time(self, arg: int, /) -> None: ...

    @property
    def a_row(self) -> int: ...

    @a_row.setter
    def a_row(self, arg: int, /) -> None: ...

    @property
    def b(self) -> int: ...

    @b.setter
    def b(self, arg: int, /) -> None: ...

    @property
    def b_time(self) -> int: ...

    @b_time.setter
    def b_time(self, arg: int, /) -> None: ...

    @property
    def b_row(self) -> int: ...

    @b_row.setter
    def b_row(self, arg: int, /) -> None: ...

    @property
    def h0(self) -> int: ...

    @h0.setter
    def h0(self, arg: int, /) -> None: ...

    @property
    def y(self) -> int: ...

    @y.setter
    def y(self, arg: int, /) -> None: ...

    @property
    def y_time(self) -> int: ...

    @y_time.setter
    def y_time(self, arg: int, /) -> None: ...

    @property
    def y_row(self) -> int: ...

    @y_row.setter
    def y_row(self, arg: int, /) -> None: ...

    @property
    def hn(self) -> int: ...

    @hn.setter
    def hn(self, arg: int, /) -> None: ...

class ScanForward64:
    """Arguments of a scan_forward call (scan.h), laid flat; all 0 at first."""

    def __init__(self) -> None: ...

    @property
    def cell(self) -> int: ...

    @cell.setter
    def cell(self, arg: int, /) -> None: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, arg: int, /) -> None: ...

    @property
    def batch(self) -> int: ...

    @batch.setter
    def batch(self, arg: int, /) -> None: ...

    @property
    def input(self) -> int: ...

    @input.setter
    def input(self, arg: int, /) -> None: ...

    @property
    def hidden(self) -> int: ...

    @hidden.setter
    def hidden(self, arg: int, /) -> None: ...

    @property
    def output(self) -> int: ...

    @output.setter
    def output(self, arg: int, /) -> None: ...

    @property
    def reverse(self) -> bool: ...

    @reverse.setter
    def reverse(self, arg: bool, /) -> None: ...

    @property
    def threads(self) -> int: ...

    @threads.setter
    def threads(self, arg: int, /) -> None: ...

    @property
    def lengths(self) -> int: ...

    @lengths.setter
    def lengths(self, arg: int, /) -> None: ...

    @property
    def batch_sizes(self) -> int: ...

    @batch_sizes.setter
    def batch_sizes(self, arg: int, /) -> None: ...

    @property
    def starts(self) -> int: ...

    @starts.setter
    def starts(self, arg: int, /) -> None: ...

    @property
    def starts_time(self) -> int: ...

    @starts_time.setter
    def starts_time(self, arg: int, /) -> None: ...

    @property
    def starts_row(self) -> int: ...

    @starts_row.setter
    def starts_row(self, arg: int, /) -> None: ...

    @property
    def complex(self) -> bool: ...

    @complex.setter
    def complex(self, arg: bool, /) -> None: ...

    @property
    def factors(self) -> int: ...

    @factors.setter
    def factors(self, arg: int, /) -> None: ...

    @property
    def a(self) -> int: ...

    @a.setter
    def a(self, arg: int, /) -> None: ...

    @property
    def a_time(self) -> int: ...

    @a_time.setter
    def a_time(self, arg: int, /) -> None: ...

    @property
    def a_row(self) -> int: ...

    @a_row.setter
    def a_row(self, arg: int, /) -> None: ...

    @property
    def b(self) -> int: ...

    @b.setter
    def b(self, arg: int, /) -> None: ...

    @property
    def b_time(self) -> int: ...

    @b_time.setter
    def b_time(self, arg: int, /) -> None: ...

    @property
    def b_row(self) -> int: ...

    @b_row.setter
    def b_row(self, arg: int, /) -> None: ...

    @property
    def h0(self) -> int: ...

    @h0.setter
    def h0(self, arg: int, /) -> None: ...

    @property
    def y(self) -> int: ...

    @y.setter
    def y(self, arg: int, /) -> None: ...

    @property
    def y_time(self) -> int: ...

    @y_time.setter
    def y_time(self, arg: int, /) -> None: ...

    @property
    def y_row(self) -> int: ...

    @y_row.setter
    def y_row(self, arg: int, /) -> None: ...

    @property
    def hn(self) -> int: ...

    @hn.setter
    def hn(self, arg: int, /) -> None: ...

class ScanBackward32:
    """Arguments of a scan_backward call (scan.h), laid flat; all 0 at first."""

    def __init__(self) -> None: ...

    @property
    def forward(self) -> ScanForward32:
        """The forward call; copied where it is assigned."""

    @forward.setter
    def forward(self, arg: ScanForward32, /) -> None: ...

    @property
    def dy(self) -> int: ...

    @dy.setter
    def dy(self, arg: int, /) -> None: ...

    @property
    def dy_time(self) -> int: ...

    @dy_time.setter
    def dy_time(self, arg: int, /) -> None: ...

    @property
    def dy_row(self) -> int: ...

    @dy_row.setter
    def dy_row(self, arg: int, /) -> None: ...

    @property
    def dhn(self) -> int: ...

    @dhn.setter
    def dhn(self, arg: int, /) -> None: ...

    @property
    def da(self) -> int: ...

    @da.setter
    def da(self, arg: int, /) -> None: ...

    @property
    def da_time(self) -> int: ...

    @da_time.setter
    def da_time(self, arg: int, /) -> None: ...

    @property
    def da_row(self) -> int: ...

    @da_row.setter
    def da_row(self, arg: int, /) -> None: ...

    @property
    def db(self) -> int: ...

    @db.setter
    def db(self, arg: int, /) -> None: ...

    @property
    def db_time(self) -> int: ...

    @db_time.setter
    def db_time(self, arg: int, /) -> None: ...

    @property
    def db_row(self) -> int: ...

    @db_row.setter
    def db_row(self, arg: int, /) -> None: ...

    @property
    def dh0(self) -> int: ...

    @dh0.setter
    def dh0(self, arg: int, /) -> None: ...

class ScanBackward64:
    """Arguments of a scan_backward call (scan.h), laid flat; all 0 at first."""

    def __init__(self) -> None: ...

    @property
    def forward(self) -> ScanForward64:
        """The forward call; copied where it is assigned."""

    @forward.setter
    def forward(self, arg: ScanForward64, /) -> None: ...

    @property
    def dy(self) -> int: ...

    @dy.setter
    def dy(self, arg: int, /) -> None: ...

    @property
    def dy_time(self) -> int: ...

    @dy_time.setter
    def dy_time(self, arg: int, /) -> None: ...

    @property
    def dy_row(self) -> int: ...

    @dy_row.setter
    def dy_row(self, arg: int, /) -> None: ...

    @property
    def dhn(self) -> int: ...

    @dhn.setter
    def dhn(self, arg: int, /) -> None: ...

    @property
    def da(self) -> int: ...

    @da.setter
    def da(self, arg: int, /) -> None: ...

    @property
    def da_time(self) -> int: ...

    @da_time.setter
    def da_time(self, arg: int, /) -> None: ...

    @property
    def da_row(self) -> int: ...

    @da_row.setter
    def da_row(self, arg: int, /) -> None: ...

    @property
    def db(self) -> int: ...

    @db.setter
    def db(self, arg: int, /) -> None: ...

    @property
    def db_time(self) -> int: ...

    @db_time.setter
    def db_time(self, arg: int, /) -> None: ...

    @property
    def db_row(self) -> int: ...

    @db_row.setter
    def db_row(self, arg: int, /) -> None: ...

    @property
    def dh0(self) -> int: ...

    @dh0.setter
    def dh0(self, arg: int, /) -> None: ...

@overload
def scan_forward(call: ScanForward32) -> None:
    """A linear recurrence over time, in one direction (scan.h)."""

@overload
def scan_forward(call: ScanForward64) -> None:
    """The same in float64."""

@overload
def scan_backward(call: ScanBackward32) -> None:
    """The gradients of a linear recurrence over time (scan.h)."""

@overload
def scan_backward(call: ScanBackward64) -> None:
    """The same in float64."""

def oracle_scan_forward(call: ScanForward64) -> None:
    """A linear recurrence in plain loops: the fast forward's oracle."""

def oracle_scan_backward(call: ScanBackward64) -> None:
    """Its gradients in plain loops: the fast backward's oracle."""

class AttentionForward32:
    """
    Arguments of an attention_forward call (attention.h), laid flat; all 0 at first.
    """

    def __init__(self) -> None: ...

    @property
    def score(self) -> int: ...

    @score.setter
    def score(self, arg: int, /) -> None: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, arg: int, /) -> None: ...

    @property
    def sources(self) -> int: ...

    @sources.setter
    def sources(self, arg: int, /) -> None: ...

    @property
    def batch(self) -> int: ...

    @batch.setter
    def batch(self, arg: int, /) -> None: ...

    @property
    def width(self) -> int: ...

    @width.setter
    def width(self, arg: int, /) -> None: ...

    @property
    def memory(self) -> int: ...

    @memory.setter
    def memory(self, arg: int, /) -> None: ...

    @property
    def threads(self) -> int: ...

    @threads.setter
    def threads(self, arg: int, /) -> None: ...

    @property
    def lengths(self) -> int: ...

    @lengths.setter
    def lengths(self, arg: int, /) -> None: ...

    @property
    def q(self) -> int: ...

    @q.setter
    def q(self, arg: int, /) -> None: ...

    @property
    def q_time(self) -> int: ...

    @q_time.setter
    def q_time(self, arg: int, /) -> None: ...

    @property
    def q_row(self) -> int: ...

    @q_row.setter
    def q_row(self, arg: int, /) -> None: ...

    @property
    def k(self) -> int: ...

    @k.setter
    def k(self, arg: int, /) -> None: ...

    @property
    def k_time(self) -> int: ...

    @k_time.setter
    def k_time(self, arg: int, /) -> None: ...

    @property
    def k_row(self) -> int: ...

    @k_row.setter
    def k_row(self, arg: int, /) -> None: ...

    @property
    def m(self) -> int: ...

    @m.setter
    def m(self, arg: int, /) -> None: ...

    @property
    def m_time(self) -> int: ...

    @m_time.setter
    def m_time(self, arg: int, /) -> None: ...

    @property
    def m_row(self) -> int: ...

    @m_row.setter
    def m_row(self, arg: int, /) -> None: ...

    @property
    def v(self) -> int: ...

    @v.setter
    def v(self, arg: int, /) -> None: ...

    @property
    def scale(self) -> float: ...

    @scale.setter
    def scale(self, arg: float, /) -> None: ...

    @property
    def c(self) -> int: ...

    @c.setter
    def c(self, arg: int, /) -> None: ...

    @property
    def a(self) -> int: ...

    @a.setter
    def a(self, arg: int, /) -> None: ...

class AttentionForward64:
    """
    Arguments of an attention_forward call (attention.h), laid flat; all 0 at first.
    """

    def __init__(self) -> None: ...

    @property
    def score(self) -> int: ...

    @score.setter
    def score(self, arg: int, /) -> None: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, arg: int, /) -> None: ...

    @property
    def sources(self) -> int: ...

    @sources.setter
    def sources(self, arg: int, /) -> None: ...

    @property
    def batch(self) -> int: ...

    @batch.setter
    def batch(self, arg: int, /) -> None: ...

    @property
    def width(self) -> int: ...

    @width.setter
    def width(self, arg: int, /) -> None: ...

    @property
    def memory(self) -> int: ...

    @memory.setter
    def memory(self, arg: int, /) -> None: ...

    @property
    def threads(self) -> int: ...

    @threads.setter
    def threads(self, arg: int, /) -> None: ...

    @property
    def lengths(self) -> int: ...

    @lengths.setter
    def lengths(self, arg: int, /) -> None: ...

    @property
    def q(self) -> int: ...

    @q.setter
    def q(self, arg: int, /) -> None: ...

    @property
    def q_time(self) -> int: ...

    @q_time.setter
    def q_time(self, arg: int, /) -> None: ...

    @property
    def q_row(self) -> int: ...

    @q_row.setter
    def q_row(self, arg: int, /) -> None: ...

    @property
    def k(self) -> int: ...

    @k.setter
    def k(self, arg: int, /) -> None: ...

    @property
    def k_time(self) -> int: ...

    @k_time.setter
    def k_time(self, arg: int, /) -> None: ...

    @property
    def k_row(self) -> int: ...

    @k_row.setter
    def k_row(self, arg: int, /) -> None: ...

    @property
    def m(self) -> int: ...

    @m.setter
    def m(self, arg: int, /) -> None: ...

    @property
    def m_time(self) -> int: ...

    @m_time.setter
    def m_time(self, arg: int, /) -> None: ...

    @property
    def m_row(self) -> int: ...

    @m_row.setter
    def m_row(self, arg: int, /) -> None: ...

    @property
    def v(self) -> int: ...

    @v.setter
    def v(self, arg: int, /) -> None: ...

    @property
    def scale(self) -> float: ...

    @scale.setter
    def scale(self, arg: float, /) -> None: ...

    @property
    def c(self) -> int: ...

    @c.setter
    def c(self, arg: int, /) -> None: ...

    @property
    def a(self) -> int: ...

    @a.setter
    def a(self, arg: int, /) -> None: ...

class AttentionBackward32:
    """
    Arguments of an attention_backward call (attention.h), laid flat; all 0 at first.
    """

    def __init__(self) -> None: ...

    @property
    def forward(self) -> AttentionForward32:
        """The forward call; copied where it is assigned."""

    @forward.setter
    def forward(self, arg: AttentionForward32, /) -> None: ...

    @property
    def dc(self) -> int: ...

    @dc.setter
    def dc(self, arg: int, /) -> None: ...

    @property
    def dc_time(self) -> int: ...

    @dc_time.setter
    def dc_time(self, arg: int, /) -> None: ...

    @property
    def dc_row(self) -> int: ...

    @dc_row.setter
    def dc_row(self, arg: int, /) -> None: ...

    @property
    def da(self) -> int: ...

    @da.setter
    def da(self, arg: int, /) -> None: ...

    @property
    def da_time(self) -> int: ...

    @da_time.setter
    def da_time(self, arg: int, /) -> None: ...

    @property
    def da_row(self) -> int: ...

    @da_row.setter
    def da_row(self, arg: int, /) -> None: ...

    @property
    def dq(self) -> int: ...

    @dq.setter
    def dq(self, arg: int, /) -> None: ...

    @property
    def dk(self) -> int: ...

    @dk.setter
    def dk(self, arg: int, /) -> None: ...

    @property
    def dm(self) -> int: ...

    @dm.setter
    def dm(self, arg: int, /) -> None: ...

    @property
    def dv(self) -> int: ...

    @dv.setter
    def dv(self, arg: int, /) -> None: ...

class AttentionBackward64:
    """
    Arguments of an attention_backward call (attention.h), laid flat; all 0 at first.
    """

    def __init__(self) -> None: ...

    @property
    def forward(self) -> AttentionForward64:
        """The forward call; copied where it is assigned."""

    @forward.setter
    def forward(self, arg: AttentionForward64, /) -> None: ...

    @property
    def dc(self) -> int: ...

    @dc.setter
    def dc(self, arg: int, /) -> None: ...

    @property
    def dc_time(self) -> int: ...

    @dc_time.setter
    def dc_time(self, arg: int, /) -> None: ...

    @property
    def dc_row(self) -> int: ...

    @dc_row.setter
    def dc_row(self, arg: int, /) -> None: ...

    @property
    def da(self) -> int: ...

    @da.setter
    def da(self, arg: int, /) -> None: ...

    @property
    def da_time(self) -> int: ...

    @da_time.setter
    def da_time(self, arg: int, /) -> None: ...

    @property
    def da_row(self) -> int: ...

    @da_row.setter
    def da_row(self, arg: int, /) -> None: ...

    @property
    def dq(self) -> int: ...

    @dq.setter
    def dq(self, arg: int, /) -> None: ...

    @property
    def dk(self) -> int: ...

    @dk.setter
    def dk(self, arg: int, /) -> None: ...

    @property
    def dm(self) -> int: ...

    @dm.setter
    def dm(self, arg: int, /) -> None: ...

    @property
    def dv(self) -> int: ...

    @dv.setter
    def dv(self, arg: int, /) -> None: ...

@overload
def attention_forward(call: AttentionForward32) -> None:
    """Attention of a sequence over another one (attention.h)."""

@overload
def attention_forward(call: AttentionForward64) -> None:
    """The same in float64."""

@overload
def attention_backward(call: AttentionBackward32) -> None:
    """The gradients of attention (attention.h)."""

@overload
def attention_backward(call: AttentionBackward64) -> None:
    """The same in float64."""

def oracle_attention_forward(call: AttentionForward64) -> None:
    """Attention in plain loops: the fast forward's oracle."""

def oracle_attention_backward(call: AttentionBackward64) -> None:
    """Its gradients in plain loops: the fast backward's oracle."""

def top_tokens(rows: int, vocabulary: int, top: int, candidates: int, output: int, threads: int, products: int, row: int, scale: int, bias: int, o: int, weight: int, values: int, tokens: int) -> None:
    """The best few of each row of scores, float32 (top_tokens.h)."""

def top_tokens_int32(rows: int, vocabulary: int, top: int, candidates: int, output: int, threads: int, products: int, row: int, scale: int, bias: int, o: int, weight: int, values: int, tokens: int) -> None:
    """The same where the products are int32."""

def oracle_top_tokens(rows: int, vocabulary: int, top: int, candidates: int, output: int, threads: int, products: int, row: int, scale: int, bias: int, o: int, weight: int, values: int, tokens: int) -> None:
    """The same in plain loops on float64 arrays: the fast code's oracle."""

class CtcPrefix:
    """Arguments of a ctc_prefix call (ctc_prefix.h); all 0 at first."""

    def __init__(self) -> None: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, arg: int, /) -> None: ...

    @property
    def batch(self) -> int: ...

    @batch.setter
    def batch(self, arg: int, /) -> None: ...

    @property
    def symbols(self) -> int: ...

    @symbols.setter
    def symbols(self, arg: int, /) -> None: ...

    @property
    def beam(self) -> int: ...

    @beam.setter
    def beam(self, arg: int, /) -> None: ...

    @property
    def most_symbols(self) -> int: ...

    @most_symbols.setter
    def most_symbols(self, arg: int, /) -> None: ...

    @property
    def threshold(self) -> float: ...

    @threshold.setter
    def threshold(self, arg: float, /) -> None: ...

    @property
    def threads(self) -> int: ...

    @threads.setter
    def threads(self, arg: int, /) -> None: ...

    @property
    def log_probs(self) -> int: ...

    @log_probs.setter
    def log_probs(self, arg: int, /) -> None: ...

    @property
    def log_probs_time(self) -> int: ...

    @log_probs_time.setter
    def log_probs_time(self, arg: int, /) -> None: ...

    @property
    def log_probs_row(self) -> int: ...

    @log_probs_row.setter
    def log_probs_row(self, arg: int, /) -> None: ...

    @property
    def lengths(self) -> int: ...

    @lengths.setter
    def lengths(self, arg: int, /) -> None: ...

    @property
    def extension(self) -> int: ...

    @extension.setter
    def extension(self, arg: int, /) -> None: ...

    @property
    def scores(self) -> int: ...

    @scores.setter
    def scores(self, arg: int, /) -> None: ...

    @property
    def node_room(self) -> int: ...

    @node_room.setter
    def node_room(self, arg: int, /) -> None: ...

    @property
    def path_room(self) -> int: ...

    @path_room.setter
    def path_room(self, arg: int, /) -> None: ...

    @property
    def nodes(self) -> int: ...

    @nodes.setter
    def nodes(self, arg: int, /) -> None: ...

    @property
    def paths(self) -> int: ...

    @paths.setter
    def paths(self, arg: int, /) -> None: ...

    @property
    def members(self) -> int: ...

    @members.setter
    def members(self, arg: int, /) -> None: ...

    @property
    def counts(self) -> int: ...

    @counts.setter
    def counts(self, arg: int, /) -> None: ...

    @property
    def frames(self) -> int: ...

    @frames.setter
    def frames(self, arg: int, /) -> None: ...

class OracleCtcPrefix:
    """Arguments of an oracle_ctc_prefix call (ctc_prefix.h); all 0 at first."""

    def __init__(self) -> None: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, arg: int, /) -> None: ...

    @property
    def symbols(self) -> int: ...

    @symbols.setter
    def symbols(self, arg: int, /) -> None: ...

    @property
    def beam(self) -> int: ...

    @beam.setter
    def beam(self, arg: int, /) -> None: ...

    @property
    def most_symbols(self) -> int: ...

    @most_symbols.setter
    def most_symbols(self, arg: int, /) -> None: ...

    @property
    def threshold(self) -> float: ...

    @threshold.setter
    def threshold(self, arg: float, /) -> None: ...

    @property
    def log_probs(self) -> int: ...

    @log_probs.setter
    def log_probs(self, arg: int, /) -> None: ...

    @property
    def extension(self) -> int: ...

    @extension.setter
    def extension(self, arg: int, /) -> None: ...

    @property
    def count(self) -> int: ...

    @count.setter
    def count(self, arg: int, /) -> None: ...

    @property
    def totals(self) -> int: ...

    @totals.setter
    def totals(self, arg: int, /) -> None: ...

    @property
    def bests(self) -> int: ...

    @bests.setter
    def bests(self, arg: int, /) -> None: ...

    @property
    def lengths(self) -> int: ...

    @lengths.setter
    def lengths(self, arg: int, /) -> None: ...

    @property
    def tokens(self) -> int: ...

    @tokens.setter
    def tokens(self, arg: int, /) -> None: ...

    @property
    def first_frame(self) -> int: ...

    @first_frame.setter
    def first_frame(self, arg: int, /) -> None: ...

    @property
    def last_frame(self) -> int: ...

    @last_frame.setter
    def last_frame(self, arg: int, /) -> None: ...

def ctc_prefix(call: CtcPrefix) -> None:
    """Prefix beam search over frames of a CTC output (ctc_prefix.h)."""

def oracle_ctc_prefix(call: OracleCtcPrefix) -> None:
    """The same in plain maps and double precision: the fast code's oracle."""

class NGram:
    """A trie of grams (ngram.h); all 0 at first."""

    def __init__(self) -> None: ...

    @property
    def order(self) -> int: ...

    @order.setter
    def order(self, arg: int, /) -> None: ...

    @property
    def tokens(self) -> int: ...

    @tokens.setter
    def tokens(self, arg: int, /) -> None: ...

    @property
    def nodes(self) -> int: ...

    @nodes.setter
    def nodes(self, arg: int, /) -> None: ...

    @property
    def first_child(self) -> int: ...

    @first_child.setter
    def first_child(self, arg: int, /) -> None: ...

    @property
    def token(self) -> int: ...

    @token.setter
    def token(self, arg: int, /) -> None: ...

    @property
    def log_prob(self) -> int: ...

    @log_prob.setter
    def log_prob(self, arg: int, /) -> None: ...

    @property
    def backoff(self) -> int: ...

    @backoff.setter
    def backoff(self, arg: int, /) -> None: ...

    @property
    def suffix(self) -> int: ...

    @suffix.setter
    def suffix(self, arg: int, /) -> None: ...

class NGramScores:
    """Arguments of an ngram_scores call (ngram.h); all 0 at first."""

    def __init__(self) -> None: ...

    @property
    def model(self) -> NGram: ...

    @model.setter
    def model(self, arg: NGram, /) -> None: ...

    @property
    def sentences(self) -> int: ...

    @sentences.setter
    def sentences(self, arg: int, /) -> None: ...

    @property
    def threads(self) -> int: ...

    @threads.setter
    def threads(self, arg: int, /) -> None: ...

    @property
    def tokens(self) -> int: ...

    @tokens.setter
    def tokens(self, arg: int, /) -> None: ...

    @property
    def offsets(self) -> int: ...

    @offsets.setter
    def offsets(self, arg: int, /) -> None: ...

    @property
    def states(self) -> int: ...

    @states.setter
    def states(self, arg: int, /) -> None: ...

    @property
    def log_probs(self) -> int: ...

    @log_probs.setter
    def log_probs(self, arg: int, /) -> None: ...

def ngram_scores(call: NGramScores) -> None:
    """Scores of tokens by an n-gram model (ngram.h)."""

def oracle_ngram_scores(call: NGramScores) -> None:
    """The same in plain maps: the fast code's oracle."""

class PrefixScores:
    """What symbols add to prefixes (prefix_scores.h); all 0 at first."""

    def __init__(self) -> None: ...

    @property
    def letters(self) -> int: ...

    @letters.setter
    def letters(self, arg: int, /) -> None: ...

    @property
    def letters_begin(self) -> int: ...

    @letters_begin.setter
    def letters_begin(self, arg: int, /) -> None: ...

    @property
    def alphabet(self) -> int: ...

    @alphabet.setter
    def alphabet(self, arg: int, /) -> None: ...

    @property
    def single_spaces(self) -> int: ...

    @single_spaces.setter
    def single_spaces(self, arg: int, /) -> None: ...

    @property
    def model(self) -> NGram: ...

    @model.setter
    def model(self, arg: NGram, /) -> None: ...

    @property
    def weight(self) -> float: ...

    @weight.setter
    def weight(self, arg: float, /) -> None: ...

    @property
    def word_bonus(self) -> float: ...

    @word_bonus.setter
    def word_bonus(self, arg: float, /) -> None: ...

    @property
    def unknown(self) -> float: ...

    @unknown.setter
    def unknown(self, arg: float, /) -> None: ...

    @property
    def unknown_token(self) -> int: ...

    @unknown_token.setter
    def unknown_token(self, arg: int, /) -> None: ...

    @property
    def end_token(self) -> int: ...

    @end_token.setter
    def end_token(self, arg: int, /) -> None: ...

    @property
    def letter_tokens(self) -> int: ...

    @letter_tokens.setter
    def letter_tokens(self, arg: int, /) -> None: ...

    @property
    def trie_first(self) -> int: ...

    @trie_first.setter
    def trie_first(self, arg: int, /) -> None: ...

    @property
    def trie_letter(self) -> int: ...

    @trie_letter.setter
    def trie_letter(self, arg: int, /) -> None: ...

    @property
    def trie_word(self) -> int: ...

    @trie_word.setter
    def trie_word(self, arg: int, /) -> None: ...

    @property
    def trie_best(self) -> int: ...

    @trie_best.setter
    def trie_best(self, arg: int, /) -> None: ...

    @property
    def hot_next(self) -> int: ...

    @hot_next.setter
    def hot_next(self, arg: int, /) -> None: ...

    @property
    def hot_gain(self) -> int: ...

    @hot_gain.setter
    def hot_gain(self, arg: int, /) -> None: ...

    @property
    def hot_pending(self) -> int: ...

    @hot_pending.setter
    def hot_pending(self, arg: int, /) -> None: ...

    @property
    def hot_most(self) -> float: ...

    @hot_most.setter
    def hot_most(self, arg: float, /) -> None: ...

    @property
    def address(self) -> int: ...

class PrefixScoresOf:
    """Arguments of a prefix_scores call (prefix_scores.h); all 0 at first."""

    def __init__(self) -> None: ...

    @property
    def scores(self) -> int: ...

    @scores.setter
    def scores(self, arg: int, /) -> None: ...

    @property
    def sentences(self) -> int: ...

    @sentences.setter
    def sentences(self, arg: int, /) -> None: ...

    @property
    def symbols(self) -> int: ...

    @symbols.setter
    def symbols(self, arg: int, /) -> None: ...

    @property
    def offsets(self) -> int: ...

    @offsets.setter
    def offsets(self, arg: int, /) -> None: ...

    @property
    def places(self) -> int: ...

    @places.setter
    def places(self, arg: int, /) -> None: ...

    @property
    def added(self) -> int: ...

    @added.setter
    def added(self, arg: int, /) -> None: ...

    @property
    def at_end(self) -> int: ...

    @at_end.setter
    def at_end(self, arg: int, /) -> None: ...

def prefix_scores(call: PrefixScoresOf) -> None:
    """What symbols add to the prefixes of whole sentences (prefix_scores.h)."""

class TransducerLoss32:
    """
    Arguments of the transducer's calls (transducer_loss.h); all 0 at first.
    """

    def __init__(self) -> None: ...

    @property
    def batch(self) -> int: ...

    @batch.setter
    def batch(self, arg: int, /) -> None: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, arg: int, /) -> None: ...

    @property
    def labels(self) -> int: ...

    @labels.setter
    def labels(self, arg: int, /) -> None: ...

    @property
    def vocabulary(self) -> int: ...

    @vocabulary.setter
    def vocabulary(self, arg: int, /) -> None: ...

    @property
    def blank(self) -> int: ...

    @blank.setter
    def blank(self, arg: int, /) -> None: ...

    @property
    def threads(self) -> int: ...

    @threads.setter
    def threads(self, arg: int, /) -> None: ...

    @property
    def lengths(self) -> int: ...

    @lengths.setter
    def lengths(self, arg: int, /) -> None: ...

    @property
    def counts(self) -> int: ...

    @counts.setter
    def counts(self, arg: int, /) -> None: ...

    @property
    def targets(self) -> int: ...

    @targets.setter
    def targets(self, arg: int, /) -> None: ...

    @property
    def logits(self) -> int: ...

    @logits.setter
    def logits(self, arg: int, /) -> None: ...

    @property
    def most(self) -> int: ...

    @most.setter
    def most(self, arg: int, /) -> None: ...

    @property
    def powers(self) -> int: ...

    @powers.setter
    def powers(self, arg: int, /) -> None: ...

    @property
    def to_frame(self) -> int: ...

    @to_frame.setter
    def to_frame(self, arg: int, /) -> None: ...

    @property
    def to_symbol(self) -> int: ...

    @to_symbol.setter
    def to_symbol(self, arg: int, /) -> None: ...

    @property
    def losses(self) -> int: ...

    @losses.setter
    def losses(self, arg: int, /) -> None: ...

    @property
    def scale(self) -> int: ...

    @scale.setter
    def scale(self, arg: int, /) -> None: ...

    @property
    def slopes(self) -> int: ...

    @slopes.setter
    def slopes(self, arg: int, /) -> None: ...

class TransducerLoss64:
    """
    Arguments of the transducer's calls (transducer_loss.h); all 0 at first.
    """

    def __init__(self) -> None: ...

    @property
    def batch(self) -> int: ...

    @batch.setter
    def batch(self, arg: int, /) -> None: ...

    @property
    def steps(self) -> int: ...

    @steps.setter
    def steps(self, arg: int, /) -> None: ...

    @property
    def labels(self) -> int: ...

    @labels.setter
    def labels(self, arg: int, /) -> None: ...

    @property
    def vocabulary(self) -> int: ...

    @vocabulary.setter
    def vocabulary(self, arg: int, /) -> None: ...

    @property
    def blank(self) -> int: ...

    @blank.setter
    def blank(self, arg: int, /) -> None: ...

    @property
    def threads(self) -> int: ...

    @threads.setter
    def threads(self, arg: int, /) -> None: ...

    @property
    def lengths(self) -> int: ...

    @lengths.setter
    def lengths(self, arg: int, /) -> None: ...

    @property
    def counts(self) -> int: ...

    @counts.setter
    def counts(self, arg: int, /) -> None: ...

    @property
    def targets(self) -> int: ...

    @targets.setter
    def targets(self, arg: int, /) -> None: ...

    @property
    def logits(self) -> int: ...

    @logits.setter
    def logits(self, arg: int, /) -> None: ...

    @property
    def most(self) -> int: ...

    @most.setter
    def most(self, arg: int, /) -> None: ...

    @property
    def powers(self) -> int: ...

    @powers.setter
    def powers(self, arg: int, /) -> None: ...

    @property
    def to_frame(self) -> int: ...

    @to_frame.setter
    def to_frame(self, arg: int, /) -> None: ...

    @property
    def to_symbol(self) -> int: ...

    @to_symbol.setter
    def to_symbol(self, arg: int, /) -> None: ...

    @property
    def losses(self) -> int: ...

    @losses.setter
    def losses(self, arg: int, /) -> None: ...

    @property
    def scale(self) -> int: ...

    @scale.setter
    def scale(self, arg: int, /) -> None: ...

    @property
    def slopes(self) -> int: ...

    @slopes.setter
    def slopes(self, arg: int, /) -> None: ...

def transducer_scores(call: TransducerLoss32) -> None:
    """Log-probabilities of a transducer's arcs (transducer_loss.h)."""

def transducer_sums(call: TransducerLoss32) -> None:
    """The losses, and which part of all alignments takes each arc."""

def transducer_slopes(call: TransducerLoss32) -> None:
    """The gradient by the logits."""

def oracle_transducer_loss(call: TransducerLoss64) -> None:
    """All three in plain loops on float64 arrays: the fast code's oracle."""

class StreamModel:
    """A stack's weights, packed once and shared (stream.h)."""

    def __init__(self, layers: Sequence[Forward32], readout_size: int, readout_weight: int, readout_bias: int, float16: bool) -> None:
        """
        Of each layer, a call's cell, input, hidden, output, weights, epsilon and rates count; all are copied.
        """

    @property
    def weight_bytes(self) -> int:
        """Memory of the packed matrices: what a step reads."""

class StreamSession:
    """A state of a StreamModel (stream.h)."""

    def __init__(self, model: StreamModel, batch: int) -> None: ...

    def step(self, x: int, y: int) -> None:
        """One step; RuntimeError while another thread's call is under way."""

    def run(self, steps: int, x: int, y: int) -> None:
        """Several steps at once; RuntimeError as of `step`."""

    def step_array(self, x: object, y: int) -> None:
        """
        The same from a contiguous numpy array, whose address takes Python longer to find.
        """

    def get_state(self, layer: int, h: int, c: int) -> None: ...

    def set_state(self, layer: int, h: int, c: int) -> None: ...

    def reset(self) -> None:
        """The state becomes zero."""

    def copy(self) -> StreamSession:
        """The same weights, a state of its own."""

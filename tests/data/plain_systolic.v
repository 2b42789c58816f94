// An output-stationary array as one would write it by hand, the yardstick of tests/test_quality.py:
// it does what hwgen's array with `double_buffer` does, cycle for cycle, through the same ports.

module plain_pe #(
  parameter A = 8, W = 8, C = 32
) (
  input clk, input advance,
  input signed [A-1:0] west__a, input west__first, input west__last, input west__shift,
  input signed [W-1:0] south__w, input signed [C-1:0] south__c,
  output reg signed [A-1:0] east__a, output reg east__first, output reg east__last,
  output reg east__shift, output reg signed [W-1:0] north__w, output reg signed [C-1:0] north__c
);
  reg signed [C-1:0] acc;
  wire signed [C-1:0] total = (west__first ? 0 : acc) + west__a * south__w;

  always @(posedge clk)
    if (advance) begin
      east__a <= west__a;
      east__first <= west__first;
      east__last <= west__last;
      east__shift <= west__shift;
      north__w <= south__w;
      acc <= total;
      if (west__last) north__c <= total;
      else if (west__shift) north__c <= south__c;
    end
endmodule

module plain_array #(
  parameter ROWS = 16, COLS = 16, A = 8, W = 8, C = 32
) (
  input clk, input advance,
  input [ROWS*A-1:0] west__a, input [ROWS-1:0] west__first, input [ROWS-1:0] west__last,
  input [ROWS-1:0] west__shift, input [COLS*W-1:0] south__w, output [COLS*C-1:0] north__c
);
  // Column c of `a` and row r of `w` and `c` are what enters the elements there.
  wire [A-1:0] a [0:ROWS-1][0:COLS];
  wire first [0:ROWS-1][0:COLS];
  wire last [0:ROWS-1][0:COLS];
  wire shift [0:ROWS-1][0:COLS];
  wire [W-1:0] w [0:ROWS][0:COLS-1];
  wire [C-1:0] c [0:ROWS][0:COLS-1];

  genvar row, col;
  generate
    for (row = 0; row < ROWS; row = row + 1) begin : west
      assign a[row][0] = west__a[row*A +: A];
      assign first[row][0] = west__first[row];
      assign last[row][0] = west__last[row];
      // The top row gives its results away whenever it can.
      assign shift[row][0] = row == 0 ? 1'b1 : west__shift[row];
    end
    for (col = 0; col < COLS; col = col + 1) begin : south
      assign w[ROWS][col] = south__w[col*W +: W];
      assign c[ROWS][col] = 0;
      assign north__c[col*C +: C] = c[0][col];
    end
    for (row = 0; row < ROWS; row = row + 1) begin : rows
      for (col = 0; col < COLS; col = col + 1) begin : cols
        plain_pe #(.A(A), .W(W), .C(C)) pe (
          .clk(clk), .advance(advance),
          .west__a(a[row][col]), .east__a(a[row][col+1]),
          .west__first(first[row][col]), .east__first(first[row][col+1]),
          .west__last(last[row][col]), .east__last(last[row][col+1]),
          .west__shift(shift[row][col]), .east__shift(shift[row][col+1]),
          .south__w(w[row+1][col]), .north__w(w[row][col]),
          .south__c(c[row+1][col]), .north__c(c[row][col])
        );
      end
    end
  endgenerate
endmodule

"""What joins the layers: the command line, sweeps, verification and reports."""

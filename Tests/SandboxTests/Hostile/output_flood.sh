# expect: output
yes noise

// CodeGen: placeholder until its first file lands.

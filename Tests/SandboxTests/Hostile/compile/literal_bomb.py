# expect: cpu_time
# compile: python3
# A number that no machine can hold.
print(9 ** 9 ** 9 ** 9)

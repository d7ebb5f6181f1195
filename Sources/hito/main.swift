print("hito")

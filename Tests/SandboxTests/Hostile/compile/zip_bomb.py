# expect: ended
# compile: python3
# A few bytes that want to be a hundred million, in a file and in memory.
import io, zipfile, zlib
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
    for i in range(20):
        with z.open(f"f{i}", "w") as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
with zipfile.ZipFile(archive) as z:
    z.extractall("out")

using Kist.Images.Ocicrypt;

namespace Kist.Images.Bench;

/// <summary>A tree like that of an ordinary image: many small files, some large ones, a part of it incompressible.</summary>
static class SampleLayer
{
    public static void Create(string directory, long bytes)
    {
        using var ctr = new Aes256Ctr(new byte[32], new byte[16]);
        long written = 0;
        for (var i = 0; written < bytes; i++)
        {
            var size = i % 25 == 0 ? 3_000_000 : 2_000 + i * 977 % 60_000;
            var content = new byte[size];
            var step = i % 2 == 0 ? 1 : 4;
            ctr.Transform(content.AsSpan(0, size / step), content, written & ~15L);
            for (var at = size / step; at < size; at++)
                content[at] = content[at - Math.Min(size / step, 5_000)];
            var folder = Path.Combine(directory, $"d{i % 97}", $"e{i % 7}");
            Directory.CreateDirectory(folder);
            File.WriteAllBytes(Path.Combine(folder, $"file{i}"), content);
            written += size;
        }
    }
}

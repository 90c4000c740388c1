using System.Security.Cryptography;
using System.Text;

namespace Kist.Images.Tests;

/// <summary>A small root file system with one of each kind of entry.</summary>
static class SampleTree
{
    public static void Create(string directory)
    {
        Directory.CreateDirectory(Path.Combine(directory, "bin"));
        Directory.CreateDirectory(Path.Combine(directory, "etc/deep/er"));
        File.WriteAllText(Path.Combine(directory, "etc/hello"), "hello\n");
        File.WriteAllBytes(Path.Combine(directory, "bin/large"), Bytes(3_000_001));
        File.WriteAllBytes(Path.Combine(directory, "etc/empty"), []);
        File.WriteAllText(Path.Combine(directory, "etc/" + new string('n', 180)), "long name");
        File.CreateSymbolicLink(Path.Combine(directory, "etc/link"), "hello");
        File.SetUnixFileMode(Path.Combine(directory, "bin/large"), (UnixFileMode)0x9ED /* 04755 */);
        File.SetUnixFileMode(Path.Combine(directory, "etc/deep"), (UnixFileMode)0x1C0);
    }

    /// <summary>Path, mode and content of all entries, as text that can be compared.</summary>
    public static string Describe(string directory)
    {
        var text = new StringBuilder();
        foreach (var path in Directory.EnumerateFileSystemEntries(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var info = new FileInfo(path);
            text.Append(Path.GetRelativePath(directory, path)).Append(' ').Append((int)File.GetUnixFileMode(path)).Append(' ');
            if (info.LinkTarget is { } target)
                text.Append("-> ").Append(target);
            else if (!Directory.Exists(path))
                text.Append(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
            text.Append('\n');
        }

        return text.ToString();
    }

    // Incompressible, and the same each time.
    private static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        using var ctr = new Kist.Images.Ocicrypt.Aes256Ctr(new byte[32], new byte[16]);
        ctr.Transform(bytes, bytes, 0);
        return bytes;
    }
}

using System.Security.Cryptography;
using Kist.Images.Sealed;

namespace Kist.Images.Bench;

/// <summary>
/// Making sealed file systems: a dm-verity tree against veritysetup's, and a tree of files to an encrypted EROFS with verity
/// against mkfs.erofs and veritysetup one after the other, which encrypt nothing.
/// </summary>
static class SealBench
{
    private const int Bytes = 300_000_000 / VerityTree.BlockSize * VerityTree.BlockSize;

    public static void Run()
    {
        var directory = Directory.Exists("/dev/shm") ? "/dev/shm/kist-seal-bench" : Path.Combine(Path.GetTempPath(), "kist-seal-bench");
        Directory.CreateDirectory(directory);
        try
        {
            CompareTree(directory);
            CompareSealing(directory);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void CompareTree(string directory)
    {
        var data = new byte[Bytes];
        RandomNumberGenerator.Fill(data);
        var salt = RandomNumberGenerator.GetBytes(32);
        File.WriteAllBytes(directory + "/data", data);
        var output = "";
        var peer = Measure.Median(3, () => output = Measure.Run(
            "veritysetup", "format", directory + "/data", directory + "/tree", "--salt", Convert.ToHexStringLower(salt)));
        byte[] root = [];
        var ours = Measure.Median(3, () =>
        {
            using var file = File.OpenHandle(directory + "/data");
            var (hash, tree) = VerityTree.Compute(file, Bytes, salt, default);
            File.WriteAllBytes(directory + "/ours", tree);
            root = hash;
        });
        var same = output.Contains(Convert.ToHexStringLower(root), StringComparison.Ordinal);
        Console.WriteLine(
            $"verity tree of {Bytes / 1e6:0} MB, read and written: kist {ours * 1000:0} ms, veritysetup {peer * 1000:0} ms: {peer / ours:0.0} times faster (aim: 2.5); same root hash: {same}");
        File.Delete(directory + "/data");
    }

    private static void CompareSealing(string directory)
    {
        SampleLayer.Create(directory + "/files", Bytes);
        var erofs = Measure.Median(3, () =>
        {
            File.Delete(directory + "/peer.erofs");
            Measure.Run("mkfs.erofs", "--quiet", directory + "/peer.erofs", directory + "/files");
        });
        var verity = Measure.Median(3, () => Measure.Run("veritysetup", "format", directory + "/peer.erofs", directory + "/peer.tree"));
        File.Delete(directory + "/peer.erofs");
        double blob = 0;
        var ours = Measure.Median(3, () =>
        {
            foreach (var name in (string[])["/ours.erofs", "/ours.blob"])
                File.Delete(directory + name);
            ErofsImage.Create(directory + "/files", directory + "/ours.erofs", allRoot: true, default);
            using var plain = File.OpenHandle(directory + "/ours.erofs");
            using var output = File.OpenHandle(directory + "/ours.blob", FileMode.CreateNew, FileAccess.ReadWrite);
            blob = Measure.Median(1, () => SealedBlobWriter.Write(plain, output, new byte[32], [], default));
        });
        Console.WriteLine(
            $"files to EROFS with verity: kist {ours * 1000:0} ms with encryption and digests ({blob * 1000:0} ms beside mkfs.erofs), "
            + $"mkfs.erofs {erofs * 1000:0} ms + veritysetup {verity * 1000:0} ms: {(erofs + verity) / ours:0.00} times faster (aim: more than 1)");
    }
}

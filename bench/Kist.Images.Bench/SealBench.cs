using System.Security.Cryptography;
using Kist.Images.Sealed;

namespace Kist.Images.Bench;

/// <summary>
/// Making sealed file systems: a dm-verity tree against veritysetup's, and a tree of files to an encrypted EROFS with verity
/// against mkfs.erofs and veritysetup one after the other, which encrypt nothing.
/// </summary>
static class SealBench
{
    private const int Rounds = 5;
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
        string[] arguments = ["format", directory + "/data", directory + "/tree", "--salt", Convert.ToHexStringLower(salt)];
        var output = Measure.Run("veritysetup", arguments);
        var peer = Measure.Program(Rounds, "veritysetup", arguments);
        byte[] root = [];
        void Compute()
        {
            using var file = File.OpenHandle(directory + "/data");
            var (hash, tree) = VerityTree.Compute(file, Bytes, salt, default);
            File.WriteAllBytes(directory + "/ours", tree);
            root = hash;
        }

        Compute();
        var ours = Measure.Median(Rounds, Compute);
        var processor = Measure.MedianProcessorTime(Rounds, Compute);
        var same = output.Contains(Convert.ToHexStringLower(root), StringComparison.Ordinal);
        Console.WriteLine(
            $"verity tree of {Bytes / 1e6:0} MB, read and written: kist {ours * 1000:0} ms, veritysetup {peer.Wall * 1000:0} ms: {peer.Wall / ours:0.0} times faster (aim: 2.5); same root hash: {same}");
        Console.WriteLine(
            $"  processor time: kist {processor * 1000:0} ms on {Environment.ProcessorCount} cores, veritysetup {peer.Processor * 1000:0} ms on one: "
            + $"{peer.Processor / processor * Environment.ProcessorCount:0.0} times faster where all cores are free");
        File.Delete(directory + "/data");
    }

    private static void CompareSealing(string directory)
    {
        SampleLayer.Create(directory + "/files", Bytes);
        var erofs = Measure.Program(Rounds, "mkfs.erofs", "--quiet", directory + "/peer.erofs", directory + "/files");
        var verity = Measure.Program(Rounds, "veritysetup", "format", directory + "/peer.erofs", directory + "/peer.tree");
        File.Delete(directory + "/peer.erofs");
        void Make()
        {
            File.Delete(directory + "/ours.erofs");
            ErofsImage.Create(directory + "/files", directory + "/ours.erofs", allRoot: true, default);
        }

        void Write()
        {
            using var file = File.OpenHandle(directory + "/ours.erofs", FileMode.Open, FileAccess.ReadWrite);
            SealedBlobWriter.Seal(file, new byte[32], [], default);
        }

        void Seal()
        {
            Make();
            Write();
        }

        Seal();
        var ours = Measure.Median(Rounds, Seal);
        var processor = Measure.MedianProcessorTime(Rounds, Write, before: Make);
        Console.WriteLine(
            $"files to EROFS with verity: kist {ours * 1000:0} ms, with encryption and digests; mkfs.erofs {erofs.Wall * 1000:0} ms + veritysetup {verity.Wall * 1000:0} ms: "
            + $"{(erofs.Wall + verity.Wall) / ours:0.00} times faster (aim: more than 1)");
        Console.WriteLine(
            $"  processor time beside mkfs.erofs: kist {processor * 1000:0} ms on {Environment.ProcessorCount} cores, veritysetup {verity.Processor * 1000:0} ms on one: "
            + $"{(erofs.Processor + verity.Processor) / (erofs.Processor + processor / Environment.ProcessorCount):0.00} times faster where all cores are free");
    }
}

using System.IO.Compression;
using System.Security.Cryptography;
using Kist.Formats.Jose;
using Kist.Images.Ocicrypt;
using Kist.Oci;

namespace Kist.Images.Bench;

/// <summary>
/// An encrypted gzip layer of about 300 MB to a verified tree, against skopeo and umoci, against tar xzf (which neither
/// decrypts nor verifies), and against the sum of this machine's own work spread over its cores.
/// </summary>
static class LayerBench
{
    private const int Rounds = 3;

    public static async Task RunAsync()
    {
        var directory = Directory.Exists("/dev/shm") ? "/dev/shm/kist-bench" : Path.Combine(Path.GetTempPath(), "kist-bench");
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        Directory.CreateDirectory(directory);
        try
        {
            await RunAsync(directory);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task RunAsync(string directory)
    {
        SampleLayer.Create(directory + "/tree", 300_000_000);
        using var rsa = RSA.Create(2048);
        await File.WriteAllTextAsync(directory + "/key.pem", rsa.ExportRSAPrivateKeyPem());
        var plain = new OciLayout(directory + "/plain", "1");
        await ImageBuilder.BuildAsync([directory + "/tree"], plain, new ImageBuildOptions(), default);
        await new ImageEncryptor(
            plain, new OciLayout(directory + "/encrypted", "1"), [new JweKeyWrapper([RsaJsonWebKey.FromPublicKey(rsa, null)])],
            new EncryptOptions { TemporaryDirectory = directory }).EncryptAsync(default);
        var manifest = ImageManifest.Parse((await plain.ResolveAsync(default)).Bytes.Span);
        var layerFile = $"{directory}/plain/blobs/sha256/{manifest.Layers[0].Digest.Hex}";
        var tarBytes = ArchiveBytes(layerFile);
        Console.WriteLine($"layer: {manifest.Layers[0].Size / 1e6:0} MB gzip, {tarBytes / 1e6:0} MB tar, {Environment.ProcessorCount} cores");

        void Pull() => ImagePuller.PullAsync(
            new OciLayout(directory + "/encrypted", "1"), [new JweKeyUnwrapper([rsa])], directory + "/out", new PullOptions(), null, default).GetAwaiter().GetResult();
        var ours = Measure.Median(2 * Rounds, Pull, before: () => Remove(directory + "/out"));
        var cpu = Measure.MedianProcessorTime(Rounds, Pull, before: () => Remove(directory + "/out"));
        Remove(directory + "/out");
        var tar = Measure.Median(Rounds, () => Measure.Run("tar", "-C", directory + "/tar", "-xzf", layerFile), before: () =>
        {
            Remove(directory + "/tar");
            Directory.CreateDirectory(directory + "/tar");
        });
        Remove(directory + "/tar");
        var peers = Measure.Median(Rounds, () =>
        {
            Measure.Run("skopeo", "copy", "--insecure-policy", "--decryption-key", directory + "/key.pem", $"oci:{directory}/encrypted:1", $"oci:{directory}/skopeo:1");
            Measure.Run("umoci", "unpack", "--image", directory + "/skopeo:1", directory + "/umoci");
        }, before: () =>
        {
            Remove(directory + "/skopeo");
            Remove(directory + "/umoci");
        });
        Remove(directory + "/umoci");
        var floor = Floor(directory, layerFile, tarBytes);
        Console.WriteLine($"kist:            {ours * 1000:0} ms ({cpu * 1000:0} ms of CPU), {tarBytes / ours / 1e6:0} MB/s of tar");
        Console.WriteLine($"floor:           {floor * 1000:0} ms: kist takes {ours / floor:0.00} of it (aim: 1.25)");
        Console.WriteLine($"skopeo + umoci:  {peers * 1000:0} ms: kist is {peers / ours:0.0} times faster (aim: 10)");
        Console.WriteLine($"tar xzf:         {tar * 1000:0} ms: kist is {tar / ours:0.0} times faster (aim: 2.5)");
    }

    // The work that nobody can leave out, each measured alone on one core, spread evenly over the cores.
    private static double Floor(string directory, string layerFile, long tarBytes)
    {
        var blob = File.ReadAllBytes(layerFile);
        using var ctr = new Aes256Ctr(new byte[32], new byte[16]);
        var hash = Measure.Median(3, () => SHA256.HashData(blob));
        var decrypt = Measure.Median(3, () => ctr.Transform(blob, blob.AsSpan(), 0));
        ctr.Transform(blob, blob.AsSpan(), 0);
        blob = File.ReadAllBytes(layerFile);
        var inflate = Measure.Median(3, () => Inflate(blob));
        var diffId = hash * tarBytes / blob.Length;
        File.WriteAllBytes(directory + "/layer.tar", InflateAll(blob));
        var untar = Measure.Median(3, () =>
        {
            using var archive = new FileStream(directory + "/layer.tar", FileMode.Open, FileAccess.Read, FileShare.Read, 256 * 1024);
            using var extractor = new LayerExtractor(directory + "/untar", new ExtractionOptions());
            extractor.Extract(new TarReader(archive), default);
        }, before: () =>
        {
            Remove(directory + "/untar");
            Directory.CreateDirectory(directory + "/untar");
        });
        Console.WriteLine(
            $"work, ms on one core: digest {hash * 1000:0}, hmac {hash * 1000:0}, decrypt {decrypt * 1000:0}, inflate {inflate * 1000:0}, diff_id {diffId * 1000:0}, untar {untar * 1000:0}");
        return (2 * hash + decrypt + inflate + diffId + untar) / Environment.ProcessorCount;
    }

    private static long ArchiveBytes(string layerFile) => Inflate(File.ReadAllBytes(layerFile));

    private static long Inflate(byte[] blob)
    {
        using var gzip = new GZipStream(new MemoryStream(blob), CompressionMode.Decompress);
        var buffer = new byte[256 * 1024];
        long total = 0;
        int count;
        while ((count = gzip.Read(buffer)) > 0)
            total += count;
        return total;
    }

    private static byte[] InflateAll(byte[] blob)
    {
        using var gzip = new GZipStream(new MemoryStream(blob), CompressionMode.Decompress);
        using var output = new MemoryStream();
        gzip.CopyTo(output);
        return output.ToArray();
    }

    private static void Remove(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}

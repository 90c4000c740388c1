using System.Security.Cryptography;
using Kist.Images.Ocicrypt;

namespace Kist.Images.Bench;

/// <summary>AES-256-CTR with HMAC-SHA-256 on one core, against what openssl's two figures allow together.</summary>
static class CipherBench
{
    private const int Bytes = 256 * 1024 * 1024;
    private const int Chunk = 256 * 1024;

    public static void Run()
    {
        var aes = Measure.OpensslSpeed("-evp", "aes-256-ctr");
        var sha = Measure.OpensslSpeed("-hmac", "sha256");
        var limit = 1 / (1 / aes + 1 / sha);
        var data = RandomNumberGenerator.GetBytes(Chunk);
        using var ctr = new Aes256Ctr(new byte[32], new byte[16]);
        var ctrOnly = Bytes / Measure.MedianProcessorTime(5, () =>
        {
            for (long at = 0; at < Bytes; at += Chunk)
                ctr.Transform(data, data, at);
        });
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, new byte[32]);
        var both = Bytes / Measure.MedianProcessorTime(5, () =>
        {
            for (long at = 0; at < Bytes; at += Chunk)
            {
                hmac.AppendData(data);
                ctr.Transform(data, data, at);
            }

            hmac.GetHashAndReset();
        });
        Console.WriteLine($"openssl, MB/s a core: aes-256-ctr {aes / 1e6:0}, hmac-sha256 {sha / 1e6:0}, both together {limit / 1e6:0}");
        Console.WriteLine($"kist, MB/s a core:    aes-256-ctr {ctrOnly / 1e6:0}, with hmac {both / 1e6:0}: {both / limit:0.00} of the limit (aim: 0.9)");
    }
}

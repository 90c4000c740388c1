using System.Text.Json;
using System.Text.Json.Nodes;
using Kist.Formats;

namespace Kist.Attestation.Tests;

/// <summary>What every verifier must survive: truncation, changed bytes, noise. Only MalformedDataException may escape.</summary>
internal static class Robustness
{
    /// <summary>
    /// Every byte and length are tried with KIST_EXHAUSTIVE=1; a usual run takes every fifth of them, beginning elsewhere
    /// for each sample, since each costs a signature check.
    /// </summary>
    private static readonly int s_stride = Environment.GetEnvironmentVariable("KIST_EXHAUSTIVE") == "1" ? 1 : 5;

    /// <summary>Judges, and turns "malformed" into "not accepted"; any other exception fails the test.</summary>
    public static bool IsAccepted(Evidence evidence, VerificationOptions options, ExpectedBinding? binding = null)
    {
        try
        {
            return EvidenceVerifier.Verify(evidence, binding ?? ExpectedBinding.None, options).IsAccepted;
        }
        catch (MalformedDataException)
        {
            return false;
        }
    }

    /// <summary>No proper prefix may be accepted.</summary>
    /// <param name="evidence">Good evidence in bytes.</param>
    /// <param name="options">Options under which it is good.</param>
    /// <param name="step">Every how many lengths to try, for large evidence.</param>
    public static void NoPrefixIsAccepted(Evidence evidence, VerificationOptions options, int step = 1)
    {
        Assert.True(IsAccepted(evidence, options), "the sample itself is not accepted");
        for (var length = 0; length < evidence.Bytes.Length; length += Math.Max(step, s_stride))
            Assert.False(IsAccepted(With(evidence, evidence.Bytes[..length]), options), $"accepted when cut to {length} bytes");
    }

    /// <summary>Reading a prefix gives a result or MalformedDataException, and nothing else.</summary>
    public static void NoPrefixIsRead(ReadOnlyMemory<byte> bytes, Action<ReadOnlyMemory<byte>> read, int step)
    {
        for (var length = 0; length < bytes.Length; length += step)
        {
            try
            {
                read(bytes[..length]);
            }
            catch (MalformedDataException e)
            {
                Assert.NotEmpty(e.Reason);
            }
        }
    }

    /// <summary>No change of one byte in the range may be accepted.</summary>
    public static void NoChangeIsAccepted(
        Evidence evidence, VerificationOptions options, int start, int end, int step = 1, ExpectedBinding? binding = null)
    {
        Assert.True(IsAccepted(evidence, options, binding), "the sample itself is not accepted");
        var bytes = evidence.Bytes.ToArray();
        for (var i = start + evidence.Bytes.Length % s_stride; i < end; i += Math.Max(step, s_stride))
        {
            bytes[i] ^= (byte)(1 << (i % 8));
            Assert.False(IsAccepted(With(evidence, bytes), options, binding), $"accepted with byte {i} changed");
            bytes[i] ^= (byte)(1 << (i % 8));
        }
    }

    /// <summary>Noise, and noise after a good beginning, is never accepted and never throws anything else.</summary>
    public static void NoiseIsRefused(string tee, ReadOnlyMemory<byte> sample, VerificationOptions options, uint seed = 20261124)
    {
        var random = new Noise(seed);
        for (var i = 0; i < 200; i++)
        {
            var noise = random.Bytes((int)(random.Next() % 4000));
            if (i % 2 == 1 && sample.Length > 16)
                sample[..Math.Min(noise.Length, (int)(random.Next() % (uint)sample.Length))].CopyTo(noise);
            Assert.False(IsAccepted(new Evidence { Tee = tee, Bytes = noise }, options), $"seed {seed}, round {i}");
        }
    }

    /// <summary>Every member of JSON evidence is removed, or replaced by something of another kind, in turn.</summary>
    public static void NoDamagedJsonThrows(string tee, JsonElement good, VerificationOptions options)
    {
        foreach (var replacement in new[] { null, "null", "true", "7", "-1", "1e400", "\"\"", "\"zz\"", "[]", "{}", "[300]", "[[1]]" })
        {
            foreach (var path in Paths(JsonNode.Parse(good.GetRawText())!))
            {
                var copy = JsonNode.Parse(good.GetRawText())!;
                Replace(copy, path, replacement);
                using var document = JsonDocument.Parse(copy.ToJsonString());
                _ = IsAccepted(new Evidence { Tee = tee, Json = document.RootElement.Clone() }, options);
            }
        }
    }

    private static Evidence With(Evidence evidence, ReadOnlyMemory<byte> bytes) => new()
    {
        Tee = evidence.Tee,
        Bytes = bytes,
        Certificates = evidence.Certificates,
        EventLog = evidence.EventLog,
    };

    private static IEnumerable<string[]> Paths(JsonNode node)
    {
        if (node is not JsonObject parent)
            yield break;
        foreach (var (name, child) in parent)
        {
            yield return [name];
            if (child is null)
                continue;
            foreach (var deeper in Paths(child))
                yield return [name, .. deeper];
        }
    }

    private static void Replace(JsonNode root, string[] path, string? replacement)
    {
        var parent = root;
        foreach (var name in path[..^1])
            parent = parent[name]!;
        if (replacement is null)
            parent.AsObject().Remove(path[^1]);
        else
            parent[path[^1]] = JsonNode.Parse(replacement);
    }

    /// <summary>xorshift32: the same noise in every run.</summary>
    private sealed class Noise(uint state)
    {
        public uint Next()
        {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            return state;
        }

        public byte[] Bytes(int count)
        {
            var bytes = new byte[count];
            for (var i = 0; i < count; i++)
                bytes[i] = (byte)Next();
            return bytes;
        }
    }
}

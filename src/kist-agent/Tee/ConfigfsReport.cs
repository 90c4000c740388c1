using Kist.Formats;

namespace Kist.Agent.Tee;

/// <summary>
/// Linux's common interface for evidence (Documentation/ABI/testing/configfs-tsm-report): a folder a request, whose
/// "generation" tells whether somebody else wrote to it in between.
/// </summary>
sealed class ConfigfsReport(string root = "/sys/kernel/config/tsm/report")
{
    private const int MaximumBlob = 1 << 20, Attempts = 5;

    public bool IsPresent => Directory.Exists(root);

    /// <summary>The driver behind it, "tdx_guest" or "sev_guest".</summary>
    public string Provider() => WithEntry(folder => File.ReadAllText(Path.Combine(folder, "provider")).TrimEnd('\n'));

    /// <summary>Asks for evidence over report data.</summary>
    /// <returns>The evidence, and the certificates or other data that came with it (empty if none).</returns>
    public (byte[] Evidence, byte[] Auxiliary) Request(ReadOnlySpan<byte> reportData)
    {
        var input = reportData.ToArray();
        return WithEntry(folder =>
        {
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                File.WriteAllBytes(Path.Combine(folder, "inblob"), input);
                var expected = Generation(folder);
                var evidence = Read(Path.Combine(folder, "outblob"));
                var auxiliary = File.Exists(Path.Combine(folder, "auxblob")) ? Read(Path.Combine(folder, "auxblob")) : [];
                if (Generation(folder) == expected)
                    return (evidence, auxiliary);
            }

            throw new OperationFailedException("request evidence", root, "others kept changing the request");
        });
    }

    private static string Generation(string folder) => File.ReadAllText(Path.Combine(folder, "generation"));

    /// <summary>Attributes of configfs report no length: they are read to their end.</summary>
    private static byte[] Read(string path)
    {
        using var file = File.OpenRead(path);
        var buffer = new byte[MaximumBlob];
        var length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return length < buffer.Length ? buffer[..length] : throw new OperationFailedException("request evidence", path, $"it is longer than {MaximumBlob} bytes");
    }

    private T WithEntry<T>(Func<string, T> use)
    {
        var folder = Path.Combine(root, $"kist-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        try
        {
            return use(folder);
        }
        finally
        {
            Directory.Delete(folder);
        }
    }
}

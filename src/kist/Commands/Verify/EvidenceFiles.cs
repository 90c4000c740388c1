using Kist.Attestation;
using Kist.Formats;

namespace Kist.Cli.Commands.Verify;

/// <summary>Reads files that commands name, within a limit.</summary>
static class EvidenceFiles
{
    /// <summary>Reads a file, or standard input for "-".</summary>
    public static byte[] Read(string path, int limit = EvidenceLimits.Evidence)
    {
        try
        {
            using var stream = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            using var buffer = new MemoryStream();
            var chunk = new byte[64 * 1024];
            for (int read; (read = stream.Read(chunk)) > 0;)
            {
                if (buffer.Length + read > limit)
                    throw new OperationFailedException("read", path, $"it is larger than the limit of {limit} bytes");
                buffer.Write(chunk, 0, read);
            }

            return buffer.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OperationFailedException("read", path, e.Message, "check the path and its permissions", inner: e);
        }
    }

    /// <summary>A directory may hold anything: what cannot be read as collateral is said and left aside.</summary>
    private static void AddIfCollateral(CollateralReader reader, string file)
    {
        try
        {
            reader.Add(Read(file));
        }
        catch (MalformedDataException e)
        {
            Terminal.Note($"{file} was left aside: {e.Message}");
        }
    }

    /// <summary>Adds every file among files and directories (one level deep) that is collateral to the reader.</summary>
    public static void AddCollateral(CollateralReader reader, IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            if (!Directory.Exists(path))
            {
                var data = Read(path);
                if (!reader.Add(data) && VendorCollateral.Read(data).Count == 0)
                    Terminal.Note($"{path} is no collateral that is known, and was left aside");
                continue;
            }

            foreach (var file in Directory.EnumerateFiles(path).Order(StringComparer.Ordinal))
                AddIfCollateral(reader, file);
        }
    }
}

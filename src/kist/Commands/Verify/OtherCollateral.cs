using Kist.Attestation;
using Kist.Collateral;
using Kist.Formats;

namespace Kist.Cli.Commands.Verify;

/// <summary>Collateral of other vendors than Intel: AMD's files, which say themselves what they are, and collateral directories.</summary>
static class OtherCollateral
{
    /// <summary>Adds what a file or directory holds.</summary>
    public static void AddTo(CollateralStore store, string path)
    {
        if (!Directory.Exists(path))
        {
            AddFile(store, path);
            return;
        }

        foreach (var file in Directory.EnumerateFiles(path).Order(StringComparer.Ordinal))
            AddFile(store, file);
        // Commands are synchronous here: these are small local files.
        new CollateralCache(Path.GetFullPath(path)).LoadAsync(store, CancellationToken.None).GetAwaiter().GetResult();
    }

    private static void AddFile(CollateralStore store, string file)
    {
        var data = EvidenceFiles.Read(file);
        try
        {
            foreach (var (key, value) in VendorCollateral.Read(data))
                store.Add(key, value);
        }
        catch (MalformedDataException)
        {
            // Said before, when the same file was offered as Intel's collateral.
        }
    }
}

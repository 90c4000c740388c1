using Kist.Attestation;

namespace Kist.Collateral;

/// <summary>
/// Collateral in a directory: DIRECTORY/KIND/NAME, the name percent-encoded. The same directory, copied, serves a machine
/// without a network. Files are written whole or not at all. Nothing in it is trusted: the verifier checks every byte.
/// </summary>
/// <param name="directory">Created when first written to.</param>
public sealed class CollateralCache(string directory)
{
    private const int NameLimit = 240;

    /// <summary>The file of a key.</summary>
    /// <exception cref="ArgumentException">The name is too long for a file, or the kind is not a plain name.</exception>
    public string PathOf(CollateralKey key) =>
        TryPathOf(key) ?? throw new ArgumentException($"{key.Kind}/{key.Name} makes no file name", nameof(key));

    private string? TryPathOf(CollateralKey key)
    {
        // Uri leaves dots alone, and a name of dots only would leave the directory.
        var name = Uri.EscapeDataString(key.Name).Replace(".", "%2E", StringComparison.Ordinal);
        var isName = name.Length is > 0 and <= NameLimit && key.Kind.Length > 0 && key.Kind[0] != '.' && key.Kind.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_');
        return isName ? Path.Combine(directory, key.Kind, name) : null;
    }

    /// <summary>Reads an entry and when it was written; null if there is none.</summary>
    public async Task<(byte[] Data, DateTimeOffset Written)?> ReadAsync(CollateralKey key, CancellationToken cancellationToken)
    {
        var file = new FileInfo(PathOf(key));
        if (!file.Exists)
            return null;
        return (await File.ReadAllBytesAsync(file.FullName, cancellationToken).ConfigureAwait(false), file.LastWriteTimeUtc);
    }

    /// <summary>Writes an entry.</summary>
    /// <param name="key">Which.</param>
    /// <param name="data">Its bytes.</param>
    /// <param name="now">The time that it is dated with.</param>
    /// <param name="cancellationToken">Stops before the entry is replaced.</param>
    public async Task WriteAsync(CollateralKey key, ReadOnlyMemory<byte> data, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var path = PathOf(key);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Guid.NewGuid():N}";
        await File.WriteAllBytesAsync(temporary, data, cancellationToken).ConfigureAwait(false);
        File.SetLastWriteTimeUtc(temporary, now.UtcDateTime);
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Intel's documents are taken apart; all others are found under their key.</summary>
    private static void Add(CollateralStore store, CollateralKey key, byte[] data)
    {
        if (key.Kind != CollateralKey.IntelDcap)
        {
            store.Add(key, data);
            return;
        }

        var (dcapKey, collateral) = DcapCollateralJson.Parse(data);
        store.Add(dcapKey, collateral);
    }

    /// <summary>Adds every entry of the directory that is not in <paramref name="store"/> by another way.</summary>
    public async Task LoadAsync(CollateralStore store, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(directory))
            return;
        foreach (var path in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
        {
            var kind = Path.GetFileName(Path.GetDirectoryName(path)!);
            var name = Uri.UnescapeDataString(Path.GetFileName(path));
            var key = new CollateralKey(kind, name);
            // Files of other people's, and one that is being written, do not have the name that a key gives.
            if (TryPathOf(key) == path)
                Add(store, key, await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false));
        }
    }
}

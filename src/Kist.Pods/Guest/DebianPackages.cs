using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Kist.Formats;

namespace Kist.Pods.Guest;

/// <summary>
/// Packages of the Debian release that this machine follows: apt finds and authenticates them, dpkg-deb opens them, both
/// as an ordinary user. Files are kept in a folder and checked each time against Debian's lists.
/// </summary>
sealed partial class DebianPackages(string cache)
{
    /// <summary>The newest kernel that a metapackage such as linux-image-cloud-amd64 leads to.</summary>
    public static async Task<string> DependencyAsync(string metapackage, string prefix, CancellationToken cancellationToken)
    {
        var text = await Tool.ReadAsync("/usr/bin/apt-cache", ["show", "--no-all-versions", metapackage], null, cancellationToken).ConfigureAwait(false);
        foreach (var line in text.Split('\n').Where(l => l.StartsWith("Depends:", StringComparison.Ordinal)))
        {
            var name = line["Depends:".Length..].Split(',').Select(d => d.Trim().Split(' ')[0]).FirstOrDefault(d => d.StartsWith(prefix, StringComparison.Ordinal));
            if (name is not null)
                return name;
        }

        throw new OperationFailedException("find package", metapackage, $"Debian's lists name no dependency {prefix}…", "apt-get update");
    }

    /// <summary>Fetches packages that are not in the folder yet.</summary>
    public async Task<IReadOnlyList<DebianPackage>> FetchAsync(IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(cache);
        using var empty = new TemporaryFolder();
        // In a folder that has none of the files, apt-get prints all of them.
        var listing = await Tool.ReadAsync("/usr/bin/apt-get", ["download", "--print-uris", "--", .. names], empty.Path, cancellationToken).ConfigureAwait(false);
        var packages = names.Select(name => Find(name, listing)).ToArray();
        var missing = packages.Where(p => !IsIntact(p)).ToArray();
        if (missing.Length > 0)
        {
            await Tool.ReadAsync("/usr/bin/apt-get", ["download", "-q", "--", .. missing.Select(p => $"{p.Name}={p.Version}")], empty.Path, cancellationToken).ConfigureAwait(false);
            foreach (var package in missing)
            {
                File.Move(Path.Combine(empty.Path, Path.GetFileName(package.File)), package.File, overwrite: true);
                if (!IsIntact(package))
                    throw new OperationFailedException("fetch package", package.Name, "is not the file that Debian's lists describe");
            }
        }

        return packages;
    }

    /// <summary>The content of the files of a package that <paramref name="wanted"/> selects by path, links followed within the package.</summary>
    public static async Task<IReadOnlyDictionary<string, byte[]>> ReadFilesAsync(DebianPackage package, Func<string, bool> wanted, CancellationToken cancellationToken)
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var links = new Dictionary<string, string>(StringComparer.Ordinal);
        await Tool.StreamAsync("/usr/bin/dpkg-deb", ["--fsys-tarfile", package.File], async tar =>
        {
            using var reader = new TarReader(tar, leaveOpen: true);
            while (await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
            {
                var path = entry.Name.TrimStart('.').TrimStart('/');
                if (entry.EntryType == TarEntryType.SymbolicLink)
                {
                    links[path] = Resolve(path, entry.LinkName);
                }
                else if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile && wanted(path))
                {
                    using var content = new MemoryStream();
                    if (entry.DataStream is { } data)
                        await data.CopyToAsync(content, cancellationToken).ConfigureAwait(false);
                    files[path] = content.ToArray();
                }
            }
        }, cancellationToken).ConfigureAwait(false);
        foreach (var (link, target) in links.Where(l => wanted(l.Key)))
        {
            if (files.TryGetValue(target, out var content))
                files.TryAdd(link, content);
        }

        return files;
    }

    private static string Resolve(string link, string target) =>
        Path.GetFullPath(target, "/" + Path.GetDirectoryName(link)).TrimStart('/');

    private DebianPackage Find(string name, string listing)
    {
        foreach (Match match in UriLine().Matches(listing))
        {
            if (match.Groups["name"].Value != name)
                continue;
            var version = Uri.UnescapeDataString(match.Groups["version"].Value);
            var file = $"{name}_{match.Groups["version"].Value}_{match.Groups["arch"].Value}.deb";
            return new DebianPackage(name, version, Path.Combine(cache, file), match.Groups["hash"].Value);
        }

        throw new OperationFailedException("find package", name, "Debian's lists do not have it with a SHA-256", "apt-get update");
    }

    private static bool IsIntact(DebianPackage package)
    {
        if (!File.Exists(package.File))
            return false;
        using var stream = File.OpenRead(package.File);
        return Convert.ToHexStringLower(SHA256.HashData(stream)) == package.Sha256;
    }

    /// <summary>'URI' file size SHA256:hash. File names have %3a in place of the colon of an epoch.</summary>
    [GeneratedRegex("""^'[^']*' (?<name>[a-z0-9][a-z0-9+.-]*)_(?<version>[^_ /]+)_(?<arch>[a-z0-9]+)\.deb [0-9]+ SHA256:(?<hash>[0-9a-f]{64})\r?$""", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex UriLine();
}

using System.Globalization;
using System.Text;
using Kist.Linux;
using Kist.Linux.Files;
using Kist.Pods.Protocol;

namespace Kist.Agent.Containers;

/// <summary>The numbers that a container's process runs under.</summary>
/// <param name="Uid">User.</param>
/// <param name="Gid">Group.</param>
/// <param name="AdditionalGids">The groups that the image's /etc/group lists the user in.</param>
/// <param name="Home">The home directory of /etc/passwd; "/" if the user is not listed.</param>
sealed record ContainerUser(uint Uid, uint Gid, IReadOnlyList<uint> AdditionalGids, string Home)
{
    private const int MaximumFile = 1 << 20;

    /// <summary>Looks a user up as docker does: "name", "uid", "name:group" or "uid:gid", in the image's own files.</summary>
    /// <exception cref="AgentException">A name is not in them.</exception>
    public static ContainerUser Resolve(string text, string rootFileSystem)
    {
        using var root = DirectoryRoot.Open(rootFileSystem);
        return Resolve(text, ReadLines(root, "etc/passwd"), ReadLines(root, "etc/group"));
    }

    internal static ContainerUser Resolve(string text, IEnumerable<string[]> passwd, IEnumerable<string[]> group)
    {
        var parts = text.Split(':', 2);
        // passwd(5): name, password, uid, gid, comment, home, shell. A name wins over the same digits.
        var entry = passwd.FirstOrDefault(e => e.Length >= 6 && e[0] == parts[0])
            ?? (Number(parts[0]) is { } wanted ? passwd.FirstOrDefault(e => e.Length >= 6 && Number(e[2]) == wanted) : null);
        if ((entry is null ? Number(parts[0]) : Number(entry[2])) is not { } uid)
            throw Unknown("user", parts[0]);
        var gid = parts.Length == 2 ? Group(parts[1], group) : entry is null ? 0 : Number(entry[3]) ?? throw Unknown("group of user", parts[0]);
        // With an explicit group, as with docker, the user's other groups do not apply.
        IReadOnlyList<uint> additional = parts.Length == 2 || entry is null
            ? []
            : [.. group.Where(g => g.Length >= 4 && g[3].Split(',').Contains(entry[0])).Select(g => Number(g[2])).OfType<uint>().Where(g => g != gid).Distinct()];
        return new ContainerUser(uid, gid, additional, entry is null || entry[5].Length == 0 ? "/" : entry[5]);
    }

    private static uint Group(string text, IEnumerable<string[]> group) =>
        group.FirstOrDefault(g => g.Length >= 3 && g[0] == text) is { } entry && Number(entry[2]) is { } gid
            ? gid
            : Number(text) ?? throw Unknown("group", text);

    private static uint? Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static AgentException Unknown(string kind, string name) => new(
        FailureCode.InvalidRequest, "look up user", name, $"the image knows no {kind} of this name", "give a number, or a name that the image's /etc/passwd has");

    private static List<string[]> ReadLines(DirectoryRoot root, string path)
    {
        try
        {
            using var file = root.OpenRead(path);
            var buffer = new byte[MaximumFile];
            var length = RandomAccess.Read(file, buffer, 0);
            return [.. Encoding.UTF8.GetString(buffer, 0, length).Split('\n').Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split(':'))];
        }
        catch (SystemCallException e) when (e.Errno is Errno.ENOENT or Errno.ENOTDIR)
        {
            return [];
        }
    }
}

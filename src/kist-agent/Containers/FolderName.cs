using System.Security.Cryptography;
using System.Text;

namespace Kist.Agent.Containers;

/// <summary>
/// Names of the folders that belong to containers and processes. Identifiers of the CRI plugin have 64 characters, two of
/// them in a path leave no room for a socket's name (108 bytes: unix(7)), so folders have a digest's first half instead.
/// </summary>
static class FolderName
{
    private const int DigestBytes = 16;

    public static string Of(string identifier) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identifier)).AsSpan(0, DigestBytes));
}

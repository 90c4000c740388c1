using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Host;

/// <summary>Names of containers: 1 to 64 of letters, digits, '_', '.' and '-', the first a letter or digit.</summary>
public static class ContainerName
{
    private const int MaxLength = 64;

    private static readonly string[] Qualities =
        ["oaken", "sealed", "quiet", "sturdy", "hidden", "locked", "trusty", "bound", "iron", "solemn", "plain", "deep"];

    private static readonly string[] Things =
        ["kist", "coffer", "casket", "vault", "ark", "chest", "locker", "strongbox", "larnax", "hutch", "trunk", "safe"];

    /// <summary>True if <paramref name="name"/> follows the grammar.</summary>
    public static bool IsValid(string name) =>
        name.Length is > 0 and <= MaxLength && char.IsAsciiLetterOrDigit(name[0]) &&
        name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');

    /// <summary>Returns the name, or throws if it does not follow the grammar.</summary>
    public static string Require(string name) => IsValid(name)
        ? name
        : throw new OperationFailedException(
            "name container", name, $"a name is 1 to {MaxLength} letters, digits, '_', '.' or '-', the first a letter or digit");

    /// <summary>A name for a container that was given none.</summary>
    public static string Random() =>
        $"{Pick(Qualities)}-{Pick(Things)}-{RandomNumberGenerator.GetHexString(4, lowercase: true)}";

    private static string Pick(string[] words) => words[RandomNumberGenerator.GetInt32(words.Length)];
}

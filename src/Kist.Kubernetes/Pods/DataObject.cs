using System.Text;

namespace Kist.Kubernetes;

/// <summary>The content of ConfigMaps and Secrets.</summary>
static class DataObject
{
    /// <summary>Every key with its bytes, sorted by name.</summary>
    public static SortedDictionary<string, byte[]> Read(ManifestObject value)
    {
        var isSecret = value.Text("kind") == "Secret";
        var content = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (key, text) in value.StringMap("data"))
            content[key] = isSecret ? Base64(value, "data", text) : Encoding.UTF8.GetBytes(text);
        foreach (var (key, text) in value.StringMap("binaryData"))
            content[key] = Base64(value, "binaryData", text);
        if (isSecret)
        {
            foreach (var (key, text) in value.StringMap("stringData"))
                content[key] = Encoding.UTF8.GetBytes(text);
        }

        return content;
    }

    public static void RefuseClusterSecret(ManifestReview review, string place) => review.Refuse(
        place, "the cluster can read this Secret, and so can whoever owns the machine",
        "seal it (kist secret seal), fetch it in the container (kbs:///…), or accept that: --allow-cluster-secrets");

    private static byte[] Base64(ManifestObject value, string field, string text)
    {
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            throw value.Malformed(field, "holds a value that is no base64");
        }
    }
}

using System.Text;
using System.Text.Json.Nodes;
using Kist.Oci;

namespace Kist.Images.Tests;

/// <summary>What somebody who controls the registry can do to the documents of a sealed image.</summary>
static class SealedAttacks
{
    public static void Apply(string attack, string layout)
    {
        var indexPath = Path.Combine(layout, "index.json");
        var index = JsonNode.Parse(File.ReadAllText(indexPath))!;
        var manifest = JsonNode.Parse(File.ReadAllText(BlobPath(layout, index["manifests"]![0]!)))!;
        var envelope = JsonNode.Parse(File.ReadAllText(BlobPath(layout, manifest["config"]!)))!;
        switch (attack)
        {
            case "flip a bit of the envelope":
                var ciphertext = Convert.FromBase64String((string)envelope["ciphertext"]!);
                ciphertext[100] ^= 1;
                envelope["ciphertext"] = Convert.ToBase64String(ciphertext);
                break;
            case "rename the key":
                envelope["kid"] = "kbs:///default/image-key/other";
                break;
            case "add a member to the envelope":
                envelope["more"] = 1;
                break;
            case "list another blob":
                manifest["layers"]![0]!["digest"] = Digest.Of("other"u8).ToString();
                break;
            case "list the blob twice":
                manifest["layers"]!.AsArray().Add(manifest["layers"]![0]!.DeepClone());
                break;
        }

        Store(layout, manifest["config"]!, envelope);
        Store(layout, index["manifests"]![0]!, manifest);
        File.WriteAllText(indexPath, index.ToJsonString());
    }

    private static void Store(string layout, JsonNode descriptor, JsonNode content)
    {
        var bytes = Encoding.UTF8.GetBytes(content.ToJsonString());
        descriptor["digest"] = Digest.Of(bytes).ToString();
        descriptor["size"] = bytes.Length;
        File.WriteAllBytes(BlobPath(layout, descriptor), bytes);
    }

    private static string BlobPath(string layout, JsonNode descriptor) =>
        Path.Combine(layout, "blobs", ((string)descriptor["digest"]!).Replace(':', '/'));
}

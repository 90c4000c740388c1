using System.Text;
using System.Text.Json.Nodes;
using Kist.Oci;

namespace Kist.Images.Tests;

/// <summary>What somebody who controls the registry can do to a stored image, here to an OCI layout.</summary>
static class ImageAttacks
{
    private const string PublicOptions = "org.opencontainers.image.enc.pubopts";

    public static void Apply(string attack, string layout)
    {
        var (manifest, path) = ReadManifest(layout);
        var layers = manifest["layers"]!.AsArray();
        switch (attack)
        {
            case "flip a bit of a layer":
                Rewrite(BlobPath(layout, layers[1]!), bytes => { bytes[^1] ^= 1; return bytes; });
                return;
            case "truncate a layer":
                Rewrite(BlobPath(layout, layers[1]!), bytes => bytes[..^1]);
                return;
            case "lengthen a layer":
                Rewrite(BlobPath(layout, layers[1]!), bytes => [.. bytes, 0]);
                return;
            case "flip a bit of a layer and fix its digest":
                ReplaceBlob(layout, layers[1]!);
                break;
            case "change the HMAC":
                EditPublicOptions(layers[1]!, json => json["hmac"] = Convert.ToBase64String(new byte[32]));
                break;
            case "swap two layers":
                var first = layers[0]!.DeepClone();
                layers[0] = layers[1]!.DeepClone();
                layers[1] = first;
                break;
            case "put the layers' annotations on each other":
                var annotations = layers[0]!["annotations"]!.DeepClone();
                layers[0]!["annotations"] = layers[1]!["annotations"]!.DeepClone();
                layers[1]!["annotations"] = annotations;
                break;
            case "take the encryption's name off a layer":
                layers[1]!["mediaType"] = MediaTypes.LayerGzip;
                break;
            case "put a nonce into the public options":
                EditPublicOptions(layers[1]!, json => json["cipheroptions"] = new JsonObject { ["nonce"] = Convert.ToBase64String(new byte[16]) });
                break;
            case "remove the public options":
                layers[1]!["annotations"]!.AsObject().Remove(PublicOptions);
                break;
            case "double an annotation":
                var text = manifest.ToJsonString().Replace($"\"{PublicOptions}\":", $"\"{PublicOptions}\":\"e30=\",\"{PublicOptions}\":", StringComparison.Ordinal);
                WriteManifest(layout, Encoding.UTF8.GetBytes(text));
                return;
            case "change the manifest":
                Rewrite(path, bytes => [.. bytes[..^1], (byte)' ', (byte)'}']);
                return;
            default:
                throw new ArgumentException(attack);
        }

        WriteManifest(layout, Encoding.UTF8.GetBytes(manifest.ToJsonString()));
    }

    private static (JsonNode Manifest, string Path) ReadManifest(string layout)
    {
        var index = JsonNode.Parse(File.ReadAllText(Path.Combine(layout, "index.json")))!;
        var path = BlobPath(layout, index["manifests"]![0]!);
        return (JsonNode.Parse(File.ReadAllText(path))!, path);
    }

    private static void WriteManifest(string layout, byte[] manifest)
    {
        var indexPath = Path.Combine(layout, "index.json");
        var index = JsonNode.Parse(File.ReadAllText(indexPath))!;
        Store(layout, index["manifests"]![0]!, manifest);
        File.WriteAllText(indexPath, index.ToJsonString());
    }

    private static void ReplaceBlob(string layout, JsonNode descriptor)
    {
        var bytes = File.ReadAllBytes(BlobPath(layout, descriptor));
        bytes[bytes.Length / 2] ^= 0x10;
        Store(layout, descriptor, bytes);
    }

    private static void Store(string layout, JsonNode descriptor, byte[] bytes)
    {
        descriptor["digest"] = Digest.Of(bytes).ToString();
        descriptor["size"] = bytes.Length;
        File.WriteAllBytes(BlobPath(layout, descriptor), bytes);
    }

    private static void EditPublicOptions(JsonNode layer, Action<JsonNode> edit)
    {
        var json = JsonNode.Parse(Convert.FromBase64String((string)layer["annotations"]![PublicOptions]!))!;
        edit(json);
        layer["annotations"]![PublicOptions] = Convert.ToBase64String(Encoding.UTF8.GetBytes(json.ToJsonString()));
    }

    private static void Rewrite(string path, Func<byte[], byte[]> change) => File.WriteAllBytes(path, change(File.ReadAllBytes(path)));

    private static string BlobPath(string layout, JsonNode descriptor) =>
        Path.Combine(layout, "blobs", ((string)descriptor["digest"]!).Replace(':', '/'));
}

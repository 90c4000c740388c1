using System.Text.Json;
using Kist.Oci;

namespace Kist.Host;

/// <summary>
/// The resource policy of an image's key: only an attested guest whose measured policy pins this very image may have it. A
/// guest that may run something else, however genuine, gets nothing.
/// </summary>
public static class ImageKeyPolicy
{
    private const string Rules =
        """
        # Written by kist image encrypt: this key is for guests that can run these images and no others.
        package policy

        import rego.v1

        default allow := false

        allow if {
            data.plugin == "resource"
            count(input.submods) > 0
            every submod in input.submods {
                submod["ear.status"] == "affirming"
            }
            evidence := input.submods.cpu0["ear.veraison.annotated-evidence"]
            containers := evidence.init_data_claims.agent_policy_claims.containers
            count(containers) > 0
            every container in containers {
                container.image.manifest_digest in images
            }
        }

        """;

    /// <summary>The policy for a key under which images with these manifests are encrypted; without any, nobody gets it.</summary>
    public static string Write(IReadOnlyCollection<Digest> manifests)
    {
        var members = manifests.Select(d => JsonSerializer.Serialize(d.ToString(), HostJson.Default.String)).Distinct();
        var images = manifests.Count == 0 ? "set()" : $"{{{string.Join(", ", members)}}}";
        return $"{Rules}\nimages := {images}\n".ReplaceLineEndings("\n");
    }
}

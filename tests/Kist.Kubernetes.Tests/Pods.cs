using Kist.Formats;
using Kist.Host;
using Kist.Oci;
using Kist.Pods.Protocol;

namespace Kist.Kubernetes.Tests;

/// <summary>Generates for manifests with images that need no registry.</summary>
static class Pods
{
    public const string Digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

    public static ImageProcessDefaults ImageDefaults { get; } = new(["/entry"], ["--default"], ["PATH=/image/bin", "FROM=image", "MODE=image"], "/srv", "1000");

    public static Task<ResolvedImage> ResolveAsync(string reference, CancellationToken cancellationToken) => Task.FromResult(
        new ResolvedImage(ImageReference.Parse(reference), Kist.Oci.Digest.Parse(Digest), ImageDefaults, 2, 2, 100));

    /// <summary>A pod with one container, whose further fields are given.</summary>
    public static string Pod(string container, string pod = "", string more = "") =>
        $"""
        apiVersion: v1
        kind: Pod
        metadata:
          name: web
          labels: {"{"}app: web{"}"}
        spec:
          automountServiceAccountToken: false
        {Indent(pod, 2)}
          containers:
          - name: main
            image: registry.example/web:v1
        {Indent(container, 4)}
        {(more.Length == 0 ? "" : "---\n" + more)}
        """;

    public static async Task<(IReadOnlyList<GeneratedPod> Pods, ManifestSet Set, ManifestReview Review)> GenerateAsync(string manifests, GenerateOptions? options = null)
    {
        var review = new ManifestReview();
        var set = new ManifestSet();
        set.Add(manifests, "pod.yaml", review);
        var pods = await ManifestGenerator.GenerateAsync(
            set, options ?? new GenerateOptions(), ResolveAsync, p => InitDataDocument.Compose(new Uri("https://broker.example"), "cert", p), review,
            TestContext.Current.CancellationToken);
        return (pods, set, review);
    }

    public static async Task<PinnedContainer> ContainerAsync(string manifests, GenerateOptions? options = null) =>
        (await GenerateAsync(manifests, options)).Pods.Single().Containers[^1];

    public static async Task<string> RefusalAsync(string manifests, GenerateOptions? options = null) =>
        (await Assert.ThrowsAsync<OperationFailedException>(() => GenerateAsync(manifests, options))).Message;

    public static IEnumerable<string> Texts(IEnumerable<PinnedText> pinned) => pinned.Where(p => p.IsRequired).Select(p => p.Example);

    private static string Indent(string text, int by) =>
        string.Join('\n', text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => new string(' ', by) + l));
}

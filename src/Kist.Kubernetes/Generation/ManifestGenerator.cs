using Kist.Formats;
using Kist.Host;

namespace Kist.Kubernetes;

/// <summary>Generates policies for every workload of a set of manifests, and the manifests that carry them.</summary>
public static class ManifestGenerator
{
    /// <summary>Generates; nothing is returned if anything is refused.</summary>
    /// <param name="set">The manifests.</param>
    /// <param name="options">What the owner allows.</param>
    /// <param name="images">Looks images up.</param>
    /// <param name="compose">Puts a policy into an init-data document.</param>
    /// <param name="review">Receives refusals and warnings.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationFailedException">Something was refused, or an image cannot be found.</exception>
    /// <exception cref="MalformedDataException">A manifest is not what the API wants.</exception>
    public static async Task<IReadOnlyList<GeneratedPod>> GenerateAsync(
        ManifestSet set, GenerateOptions options, Func<string, CancellationToken, Task<ResolvedImage>> images, Func<string, InitDataDocument> compose,
        ManifestReview review, CancellationToken cancellationToken)
    {
        if (set.Workloads.Count == 0)
            throw new OperationFailedException("generate policy", "manifests", "there is no object that makes pods", "give a Pod, Deployment, StatefulSet, DaemonSet, Job or CronJob");
        var generator = new PodPolicyGenerator(set, options, images, review);
        var pods = new List<GeneratedPod>();
        foreach (var workload in set.Workloads)
        {
            var containers = await generator.PinAsync(workload, cancellationToken).ConfigureAwait(false);
            var policy = WorkloadPolicy.Write(containers, network: true, options.Ports);
            var pod = new GeneratedPod(workload, containers, policy, compose(policy)) { Ports = options.Ports };
            if (pod.Annotation.Length > GeneratedPod.MaxAnnotationBytes)
                review.Refuse(workload.Place, $"its init-data is larger than the {GeneratedPod.MaxAnnotationBytes} bytes that an annotation may have");
            pods.Add(pod);
        }

        review.ThrowIfRefused();
        return pods;
    }

    /// <summary>The manifests with each pod under its init-data, on the machine whose measurement was predicted, and under a runtime class.</summary>
    public static string Annotate(ManifestSet set, IReadOnlyList<GeneratedPod> pods, string runtimeClass, int memoryMebibytes, int cpus)
    {
        var documents = pods.Aggregate(
            set.Documents,
            (all, pod) => pod.Workload.Annotate(all, pod.Annotations(memoryMebibytes, cpus), runtimeClass));
        return ManifestWriter.Write(documents);
    }
}
